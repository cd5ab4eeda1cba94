import { describe, expect, it } from 'vitest';
import { AutoLock, autoLockInMs } from './auto-lock.ts';

describe('the time until it locks', () => {
  it('runs from the last use', () => {
    const nowMs = [1000, 2000, 301_000, 900_000];
    expect(nowMs.map((ms) => autoLockInMs(5, 1000, ms))).toEqual([300_000, 299_000, 0, 0]);
  });

  it('never ends when locking is not wished', () => {
    expect(autoLockInMs(0, 1000, 1e12)).toBe(Number.POSITIVE_INFINITY);
  });

  it('is over when the clock was set back, since nobody knows how long it has been', () => {
    expect(autoLockInMs(5, 1000, 999)).toBe(0);
  });
});

describe('the lock', () => {
  const MINUTE_MS = 60_000;

  function locks(minutes: number) {
    const clock = { nowMs: 0, alarm: undefined as { run: () => void; atMs: number } | undefined, rang: 0 };
    const lock = new AutoLock({
      minutes,
      now: () => clock.nowMs,
      schedule(run, delayMs) {
        const alarm = { run, atMs: clock.nowMs + delayMs };
        clock.alarm = alarm;
        return () => {
          if (clock.alarm === alarm) clock.alarm = undefined;
        };
      },
      onLock: () => clock.rang++,
    });
    return { lock, clock };
  }

  it('stays open while the wallet is used, and rings when it locks', () => {
    const { lock, clock } = locks(5);
    lock.unlock();
    clock.nowMs = 4 * MINUTE_MS;
    lock.touch();
    clock.nowMs = 8 * MINUTE_MS;
    expect(lock.isLocked).toBe(false);
    expect(clock.alarm?.atMs).toBe(9 * MINUTE_MS);
    clock.nowMs = 9 * MINUTE_MS;
    clock.alarm!.run();
    expect([lock.isLocked, clock.rang]).toEqual([true, 1]);
  });

  it('is not opened by use, by another time, or by a clock that goes back', () => {
    const { lock, clock } = locks(5);
    clock.nowMs = 5 * MINUTE_MS;
    lock.touch();
    lock.setMinutes(0);
    clock.nowMs = 0;
    expect(lock.isLocked).toBe(true);
    lock.unlock();
    expect(lock.isLocked).toBe(false);
    expect(clock.alarm, 'never means never').toBeUndefined();
  });

  it('follows another time from then on', () => {
    const { lock, clock } = locks(60);
    lock.unlock();
    clock.nowMs = 10 * MINUTE_MS;
    lock.setMinutes(5);
    expect(lock.isLocked).toBe(false);
    expect(clock.alarm?.atMs).toBe(15 * MINUTE_MS);
  });
});
