import { describe, expect, it } from 'vitest';
import { coalesce } from './coalesce.ts';

const cancelled = expect.objectContaining({ code: 'CANCELLED' });

/** Work that the test finishes by hand. */
function manual() {
  const runs: { signal: AbortSignal; resolve: (value: string) => void; reject: (error: Error) => void }[] = [];
  const work = (signal: AbortSignal) =>
    new Promise<string>((resolve, reject) => {
      runs.push({ signal, resolve, reject });
    });
  return { runs, work };
}

describe('coalesce', () => {
  it('runs once for all who ask meanwhile, and again for who asks later', async () => {
    const { runs, work } = manual();
    const once = coalesce<string>();
    const both = [once('a', work), once('a', work)];
    expect(runs).toHaveLength(1);
    runs[0]!.resolve('x');
    expect(await Promise.all(both)).toEqual(['x', 'x']);
    const later = once('a', work);
    expect(runs).toHaveLength(2);
    runs[1]!.resolve('y');
    expect(await later).toBe('y');
  });

  it('lets one waiter leave without stopping the work for the other', async () => {
    const { runs, work } = manual();
    const once = coalesce<string>();
    const leaver = new AbortController();
    const left = once('a', work, leaver.signal);
    const stays = once('a', work, new AbortController().signal);
    leaver.abort();
    await expect(left).rejects.toEqual(cancelled);
    expect(runs[0]!.signal.aborted).toBe(false);
    runs[0]!.resolve('x');
    expect(await stays).toBe('x');
  });

  it('aborts the work when the last waiter leaves, and starts anew for the next', async () => {
    const { runs, work } = manual();
    const once = coalesce<string>();
    const leaver = new AbortController();
    const left = once('a', work, leaver.signal);
    leaver.abort();
    await expect(left).rejects.toEqual(cancelled);
    expect(runs[0]!.signal.aborted).toBe(true);
    const next = once('a', work);
    expect(runs).toHaveLength(2);
    runs[0]!.reject(new Error('aborted'));
    runs[1]!.resolve('y');
    expect(await next).toBe('y');
  });

  it('gives everybody the same failure and forgets it', async () => {
    const { runs, work } = manual();
    const once = coalesce<string>();
    const both = [once('a', work), once('a', work)];
    runs[0]!.reject(new Error('no'));
    for (const one of both) await expect(one).rejects.toThrow('no');
    const again = once('a', work);
    runs[1]!.resolve('yes');
    expect(await again).toBe('yes');
  });

  it('does not begin for a signal that has fired', async () => {
    const { runs, work } = manual();
    await expect(coalesce<string>()('a', work, AbortSignal.abort())).rejects.toEqual(cancelled);
    expect(runs).toHaveLength(0);
  });
});
