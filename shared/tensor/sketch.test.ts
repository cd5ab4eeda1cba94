import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SKETCH_COLUMNS, sketch } from './sketch.ts';

const logits = fc.float32Array({ minLength: 300, maxLength: 300, noNaN: true, min: -30, max: 30 });
const length = (values: Float32Array) => Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0));

test('a sketch is linear, so that what is near stays near', () => {
  fc.assert(
    fc.property(logits, fc.constantFrom(-1, 0.5, 3), (values, by) => {
      const [whole, scaled] = [sketch(values), sketch(values.map((value) => value * by))];
      for (let i = 0; i < SKETCH_COLUMNS; i++) expect(scaled[i]!).toBeCloseTo(whole[i]! * by, 2);
    }),
  );
});

test('every token is in one of its sums', () => {
  for (let id = 0; id < 2000; id++) {
    const one = new Float32Array(2000);
    one[id] = 1;
    expect(length(sketch(one))).toBe(1);
  }
});

test('the same logits give the same sketch on every machine', () => {
  // Recorded once: a change of it makes old and new nodes accuse each other.
  expect([...sketch(Float32Array.from({ length: 64 }, (_, i) => i))]).toMatchSnapshot();
});
