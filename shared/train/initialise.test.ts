import { expect, test } from 'vitest';
import { initialiser } from './initialise.ts';

const normal = { name: 'w', shape: [100, 200], init: { deviation: 0.02 } };

test('a new tensor is normally distributed, by its seed', () => {
  const values = initialiser(1)(normal);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  expect(Math.abs(mean)).toBeLessThan(5e-4);
  expect(deviation).toBeCloseTo(0.02, 3);
  const within = values.filter((value) => Math.abs(value) < 0.02).length / values.length;
  expect(within).toBeCloseTo(0.683, 1);
  expect(values.every(Number.isFinite)).toBe(true);
  expect(initialiser(1)(normal)).toEqual(values);
  expect(initialiser(2)(normal)).not.toEqual(values);
});

test('or constant, which takes nothing from the random numbers of the next', () => {
  const make = initialiser(1);
  expect([...make({ name: 'b', shape: [3], init: { constant: 1 } })]).toEqual([1, 1, 1]);
  expect(make(normal)).toEqual(initialiser(1)(normal));
});
