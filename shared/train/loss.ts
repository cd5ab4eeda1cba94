import { exp, mul, neg } from './tape/elementwise.ts';
import { gatherElements, scatterElementsAdd } from './tape/indexing.ts';
import { logSoftmax } from './tape/normalise.ts';
import { sumAll } from './tape/reduce.ts';
import { reshape } from './tape/shape.ts';
import type { Tape, Tensor } from './tape/tape.ts';

/** A target that counts for nothing: padding. Any negative target is one. */
export const IGNORED = -1;

/**
 * Cross-entropy in nats, the mean over the targets that count (0 where none does): logits [n, vocabSize], targets
 * int32 [n]. Returns the loss (a scalar) and, recorded by `gradient`, its gradient by the logits in closed form:
 * (softmax − one-hot) / count.
 */
export function crossEntropy(g: Tape, logits: Tensor, targets: Tensor): { loss: Tensor; gradient: () => Tensor } {
  const rows = logits.shape[0]!;
  const column = reshape(g, targets, [rows, 1]);
  const zero = g.constant([0], [], 'int32');
  const counted = g.op('GreaterOrEqual', [column, zero], { shape: [rows, 1], dtype: 'bool' });
  const mask = g.op('Cast', [counted], { shape: [rows, 1] }, { to: { int: 1 } });
  const count = g.op('Max', [sumAll(g, mask), g.scalar(1)], { shape: [] });
  const weight = g.op('Div', [mask, count], { shape: [rows, 1] });
  const safe = g.op('Max', [column, zero], { shape: [rows, 1], dtype: 'int32' });
  const logProbabilities = logSoftmax(g, logits);
  const loss = neg(g, sumAll(g, mul(g, gatherElements(g, logProbabilities, safe), weight)));
  const gradient = () => scatterElementsAdd(g, mul(g, exp(g, logProbabilities), weight), safe, neg(g, weight));
  return { loss, gradient };
}
