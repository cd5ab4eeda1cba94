/** Spending is locked when the wallet was not used for a while, also when nobody looked at the clock meanwhile. */
import type { Schedule } from '../../shared/protocol/schedule.ts';

/**
 * Milliseconds until spending asks for the password again, `minutes` after the last use; 0: now, Infinity: never, which
 * is also what 0 minutes mean. A clock that was set back behind the last use locks at once.
 */
export function autoLockInMs(minutes: number, lastUsedMs: number, nowMs: number): number {
  if (minutes === 0) return Number.POSITIVE_INFINITY;
  if (nowMs < lastUsedMs) return 0;
  return Math.max(0, lastUsedMs + minutes * 60_000 - nowMs);
}

export interface AutoLockOptions {
  minutes: number;
  /** Unix milliseconds: a steady clock may stand still while the computer sleeps. */
  now(): number;
  schedule: Schedule;
  onLock(): void;
}

export class AutoLock {
  readonly #options: AutoLockOptions;
  #minutes: number;
  #lastUsedMs: number;
  #isLocked = false;
  #callOff = () => {};

  constructor(options: AutoLockOptions) {
    this.#options = options;
    this.#minutes = options.minutes;
    this.#lastUsedMs = options.now();
  }

  /** Once true, only `unlock` makes it false. */
  get isLocked(): boolean {
    this.#isLocked ||= this.#dueInMs() === 0;
    return this.#isLocked;
  }

  unlock(): void {
    this.#isLocked = false;
    this.#startAnew();
  }

  /** The time begins anew, unless it is over. */
  touch(): void {
    if (!this.isLocked) this.#startAnew();
  }

  /** @param minutes 0: never. What was due by the old rule stays locked. */
  setMinutes(minutes: number): void {
    const wasLocked = this.isLocked;
    this.#minutes = minutes;
    if (!wasLocked) this.#startAnew();
  }

  #startAnew(): void {
    this.#lastUsedMs = this.#options.now();
    this.#callOff();
    const delayMs = this.#dueInMs();
    this.#callOff = Number.isFinite(delayMs) ? this.#options.schedule(this.#options.onLock, delayMs) : () => {};
  }

  #dueInMs(): number {
    return autoLockInMs(this.#minutes, this.#lastUsedMs, this.#options.now());
  }
}
