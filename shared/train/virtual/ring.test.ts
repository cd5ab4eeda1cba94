import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ringOf, ringSlots, slotOf } from './ring.ts';

const sizes = { segments: fc.integer({ min: 1, max: 60 }), batches: fc.integer({ min: 1, max: 20 }) };

test('what is written takes no slot of a segment that is not two batches behind', () => {
  fc.assert(
    fc.property(fc.record({ ...sizes, step: fc.nat(1e9) }), ({ segments, batches, step }) => {
      const ring = ringOf(segments, batches);
      const before = new Map(Array.from({ length: segments }, (_, i) => [slotOf(ring, i, step), i]));
      expect(before.size).toBe(segments);
      for (let segment = 0; segment < segments; segment++) {
        const slot = slotOf(ring, segment, step + 1);
        expect(slot).toBeLessThan(ringSlots(ring));
        const batchOf = (index: number) => Math.floor(index / ring.batch);
        const overwritten = before.get(slot);
        if (overwritten !== undefined) expect(batchOf(overwritten)).toBeLessThanOrEqual(batchOf(segment) - 2);
      }
    }),
  );
});
