import { describe, expect, it } from 'vitest';
import { MAX_HISTORY_PAGE } from '../wallet-messages.ts';
import { loadHistory } from './load-history.ts';
import { OTHER, transfer } from './testing.ts';

/** A ledger with so many transactions of the wallet. */
function ledgerOf(count: number) {
  const limits: number[] = [];
  const ask: Parameters<typeof loadHistory>[0] = async ({ before = count, limit }) => {
    limits.push(limit);
    const end = Math.max(before - limit, 0);
    const transactions = Array.from({ length: before - end }, (_, i) => transfer({ index: before - 1 - i }));
    return { transactions, names: { [OTHER]: `p${before}` }, ...(end > 0 && { next: end }) };
  };
  return { limits, ask };
}
const indicesOf = (loaded: Awaited<ReturnType<typeof loadHistory>>) => loaded.transactions.map(({ index }) => index);

describe('loading the history', () => {
  it('asks for no more than is wanted', async () => {
    const { limits, ask } = ledgerOf(50);
    const loaded = await loadHistory(ask, 20);
    expect(indicesOf(loaded)).toEqual(Array.from({ length: 20 }, (_, i) => 49 - i));
    expect(loaded).toMatchObject({ hasOlder: true, names: { [OTHER]: 'p50' } });
    expect(limits).toEqual([20]);
  });

  it('goes on to the end, each once, in pieces that may be asked for', async () => {
    const count = 2 * MAX_HISTORY_PAGE + 1;
    const { limits, ask } = ledgerOf(count);
    const loaded = await loadHistory(ask, Number.POSITIVE_INFINITY);
    expect(indicesOf(loaded)).toEqual(Array.from({ length: count }, (_, i) => count - 1 - i));
    expect(loaded.hasOlder).toBe(false);
    expect(Math.max(...limits)).toBe(MAX_HISTORY_PAGE);
  });

  it('is empty for a new wallet', async () => {
    expect(await loadHistory(ledgerOf(0).ask, 20)).toMatchObject({ transactions: [], hasOlder: false });
  });
});
