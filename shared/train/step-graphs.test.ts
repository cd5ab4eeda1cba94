import { expect, test } from 'vitest';
import { groupsOf } from './step-graphs.ts';

test('the optimiser takes neighbouring tensors together while they are small', () => {
  const parameters = [3, 3, 5, 20, 1, 1].map((size, index) => {
    return { name: `p${index}`, shape: [size], init: { constant: 0 } };
  });
  const names = groupsOf(parameters, 8).map((group) => group.map(({ name }) => name));
  expect(names).toEqual([['p0', 'p1'], ['p2'], ['p3'], ['p4', 'p5']]);
});
