import { expect, test } from 'vitest';
import { exp, mul, neg } from './elementwise.ts';
import { neededNodes } from './prune.ts';
import { split } from './shape.ts';
import { Tape } from './tape.ts';

test('what no output depends on is left out, in whatever order it was recorded', () => {
  const g = new Tape();
  const x = g.input('x', [4]);
  const [left, right] = split(g, x, [2, 2], 0);
  neg(g, exp(g, right!));
  const product = mul(g, left!, left!);
  exp(g, product);
  g.output(product, 'y');
  expect(neededNodes(g.nodes, ['y']).map(({ op }) => op)).toEqual(['Split', 'Mul', 'Identity']);
});
