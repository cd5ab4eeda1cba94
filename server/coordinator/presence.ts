/** Which nodes were heard of lately: those with a session, and those whose session ended within a while. */
import { AiloError } from '../../shared/errors/index.ts';

export interface PresenceOptions {
  /** How long after its session a node counts as heard of. */
  withinMs: number;
  /** Those whose sessions ended first are forgotten beyond it. */
  maxNodes: number;
  /**
   * When this process is sure to have heard of every node that is there. Before, whoever came back first would be alone,
   * and alone decide over other people's money.
   */
  knownMs: number;
}

export class Presence {
  readonly #options: PresenceOptions;
  readonly #present = new Set<string>();
  /** When the session of each that has none any more ended, in that order. */
  readonly #ended = new Map<string, number>();

  constructor(options: PresenceOptions) {
    this.#options = options;
  }

  opened(node: string): void {
    this.#ended.delete(node);
    this.#present.add(node);
  }

  closed(node: string, nowMs: number): void {
    const { withinMs, maxNodes } = this.#options;
    this.#present.delete(node);
    this.#ended.set(node, nowMs);
    for (const [earliest, endedMs] of this.#ended) {
      if (nowMs - endedMs <= withinMs && this.#present.size + this.#ended.size <= maxNodes) break;
      this.#ended.delete(earliest);
    }
  }

  /** Throws ACTIVE_NODES_UNKNOWN before `knownMs`. */
  nodes(nowMs: number): string[] {
    const { withinMs, knownMs } = this.#options;
    if (nowMs < knownMs) throw AiloError.of('ACTIVE_NODES_UNKNOWN', { retryAfterMs: knownMs - nowMs });
    const lately = [...this.#ended].filter(([, endedMs]) => nowMs - endedMs <= withinMs);
    return [...this.#present, ...lately.map(([node]) => node)];
  }
}
