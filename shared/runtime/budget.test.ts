import fc from 'fast-check';
import { expect, it } from 'vitest';
import { totalBytes } from '../graph/memory.ts';
import { offeredBytes, peakBytes } from './budget.ts';
import { ENGINES } from './types.ts';

const bytes = fc.integer({ min: 0, max: 2 ** 34 });
const memory = fc
  .record({
    weightBytes: bytes,
    cacheBytes: bytes,
    journalBytes: bytes,
    workingBytes: bytes,
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  // The largest matrix is one of the weights.
  .map(({ share, ...rest }) => ({ ...rest, loadingBytes: Math.floor(share * rest.weightBytes) }));

it.each(ENGINES)('what fits an offer can be loaded by %s', (engine) => {
  fc.assert(
    fc.property(
      memory,
      fc.integer({ min: 1, max: 16 }),
      fc.integer({ min: 0, max: 1000 }),
      (stage, sequences, more) => {
        const budgetBytes = peakBytes(stage, sequences, engine) + more;
        const total = totalBytes(stage, sequences);
        expect(peakBytes(stage, sequences, engine)).toBeGreaterThanOrEqual(total);
        // The other way round: a stage as large as the offer has its peak within the budget.
        const needed = Math.ceil(total * (budgetBytes / Math.max(1, offeredBytes({ engine, budgetBytes }))));
        expect(peakBytes(stage, sequences, engine)).toBeLessThanOrEqual(Math.max(needed, budgetBytes));
        if (total <= offeredBytes({ engine, budgetBytes: needed })) {
          expect(peakBytes(stage, sequences, engine)).toBeLessThanOrEqual(needed);
        }
      },
    ),
  );
});

it('counts the weights twice and more where the engine does', () => {
  const stage = { weightBytes: 1000, cacheBytes: 10, journalBytes: 1, workingBytes: 5, loadingBytes: 100 };
  expect(peakBytes(stage, 1, 'node')).toBe(1100);
  expect(peakBytes(stage, 200, 'node')).toBe(1000 + 200 * 11 + 5);
  expect(peakBytes(stage, 1, 'wasm')).toBeGreaterThan(2100);
  expect(offeredBytes({ engine: 'node', budgetBytes: 2000 })).toBe(2000);
  expect(offeredBytes({ engine: 'wasm', budgetBytes: 2250 })).toBe(1000);
});
