/** Checkpoints that were heard of and not looked at yet. */
import { equalBytes } from '../ledger/binary.ts';
import { MAX_HEARD } from './limits.ts';
import type { Target } from './replay.ts';

export class Heard {
  /** Largest first. */
  readonly #targets: Target[] = [];

  get isEmpty(): boolean {
    return this.#targets.length === 0;
  }

  /** Entries of the largest. */
  get size(): number {
    return this.next()?.checkpoint.size ?? 0;
  }

  /** Each once; where there are too many, the smallest goes: it says least. */
  add(target: Target): void {
    if (this.#targets.some(({ seal }) => equalBytes(seal.bytes, target.seal.bytes))) return;
    const at = this.#targets.findIndex(({ checkpoint }) => checkpoint.size < target.checkpoint.size);
    this.#targets.splice(at === -1 ? this.#targets.length : at, 0, target);
    if (this.#targets.length > MAX_HEARD) this.#targets.pop();
  }

  /** The largest; of two that are the same size the one that came first. */
  next(): Target | undefined {
    return this.#targets[0];
  }

  delete(target: Target): void {
    const at = this.#targets.indexOf(target);
    if (at !== -1) this.#targets.splice(at, 1);
  }
}
