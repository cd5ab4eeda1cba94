/** Which nodes were heard of lately: those with a session, and those whose session ended within a while. */
export class Presence {
  readonly #withinMs: number;
  readonly #maxNodes: number;
  /** When the session ended, in that order; nodes with a session have no end. */
  readonly #ended = new Map<string, number>();
  readonly #present = new Set<string>();

  /** @param maxNodes those whose sessions ended first are forgotten beyond it */
  constructor(withinMs: number, maxNodes: number) {
    this.#withinMs = withinMs;
    this.#maxNodes = maxNodes;
  }

  opened(node: string): void {
    this.#ended.delete(node);
    this.#present.add(node);
  }

  closed(node: string, nowMs: number): void {
    this.#present.delete(node);
    this.#ended.set(node, nowMs);
    for (const [earliest, endedMs] of this.#ended) {
      if (nowMs - endedMs <= this.#withinMs && this.#present.size + this.#ended.size <= this.#maxNodes) break;
      this.#ended.delete(earliest);
    }
  }

  nodes(nowMs: number): string[] {
    const lately = [...this.#ended].filter(([, endedMs]) => nowMs - endedMs <= this.#withinMs);
    return [...this.#present, ...lately.map(([node]) => node)];
  }
}
