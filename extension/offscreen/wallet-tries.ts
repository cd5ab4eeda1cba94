/**
 * Wrong passwords make the next try wait. That keeps somebody at this keyboard from guessing; whoever copies the vault
 * is only slowed by its iterations.
 */
import { AiloError } from '../../shared/errors/index.ts';

/** Since the last right password. Stored, so that a new start of the browser changes nothing. */
export interface Tries {
  failures: number;
  /** Of the last one, in Unix milliseconds. */
  lastMs: number;
}

export const NO_TRIES: Tries = { failures: 0, lastMs: 0 };
/** So many wrong passwords cost no wait. */
export const FREE_TRIES = 5;
export const FIRST_WAIT_MS = 1000;
export const LONGEST_WAIT_MS = 5 * 60_000;

/** How long the next try has to wait; 0: not at all. A clock that was set back makes it the whole wait again. */
export function waitBeforeTry({ failures, lastMs }: Tries, nowMs: number): number {
  if (failures < FREE_TRIES) return 0;
  const waitMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failures - FREE_TRIES));
  return Math.max(0, waitMs - Math.max(0, nowMs - lastMs));
}

/** The tries as this clock can have seen them, so that a wait ends although the clock was set back. */
export function triesAt({ failures, lastMs }: Tries, nowMs: number): Tries {
  return { failures, lastMs: Math.min(lastMs, nowMs) };
}

export interface TriesStore {
  read(): Promise<Tries | undefined>;
  write(tries: Tries): Promise<void>;
}

/** Counts the tries of one wallet. `now`: Unix milliseconds. */
export class TryCounter {
  readonly #store: TriesStore;
  readonly #now: () => number;
  #tries: Tries;

  private constructor(store: TriesStore, now: () => number, tries: Tries) {
    this.#store = store;
    this.#now = now;
    this.#tries = tries;
  }

  static async open(store: TriesStore, now: () => number): Promise<TryCounter> {
    return new TryCounter(store, now, (await store.read()) ?? NO_TRIES);
  }

  /** Runs `check`, which rejects for a wrong password. Throws PASSWORD_WAIT instead while there is a wait. */
  async guard<T>(check: () => Promise<T>): Promise<T> {
    const nowMs = this.#now();
    const { failures, lastMs } = triesAt(this.#tries, nowMs);
    this.#tries = { failures, lastMs };
    const retryAfterMs = waitBeforeTry(this.#tries, nowMs);
    if (retryAfterMs > 0) throw AiloError.of('PASSWORD_WAIT', { retryAfterMs });
    // Counted before it is known to be wrong: ending the browser meanwhile gains nothing.
    await this.#set({ failures: failures + 1, lastMs: nowMs });
    const result = await check();
    await this.reset();
    return result;
  }

  reset(): Promise<void> {
    return this.#set(NO_TRIES);
  }

  /** A full disk must not keep anybody from their wallet. */
  async #set(tries: Tries): Promise<void> {
    this.#tries = tries;
    await this.#store.write(tries).catch((error) => console.warn('a try could not be stored', error));
  }
}
