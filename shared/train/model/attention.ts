import { ropeTable } from '../../graph/rope-tables.ts';
import { add } from '../tape/elementwise.ts';
import { matMul } from '../tape/matrix.ts';
import { softmax } from '../tape/normalise.ts';
import { rotaryEmbedding } from '../tape/rotary.ts';
import { expand, reshape, transpose } from '../tape/shape.ts';
import type { Tape, Tensor } from '../tape/tape.ts';
import type { Forward } from './family.ts';

/** Low enough that exp of it is 0 in f32, and finite, so that no engine makes NaN of it. */
const MASKED = -1e9;

/**
 * Causal attention over whole sequences: q [n, heads · headDim], k and v [n, kvHeads · headDim] → as q. Query heads
 * that share a key-value head are rows of one matrix: [b, kvHeads, group · t, headDim].
 */
export function causalAttention(f: Forward, q: Tensor, k: Tensor, v: Tensor): Tensor {
  const { g, config, batch, sequence } = f;
  const { heads, kvHeads, headDim } = config;
  const group = heads / kvHeads;
  const grouped = [batch, kvHeads, group * sequence, headDim];
  const query = reshape(g, rotated(f, headsFirst(f, q, heads)), grouped);
  const key = rotated(f, headsFirst(f, k, kvHeads)); // [b, kvHeads, t, headDim]
  const value = headsFirst(f, v, kvHeads);
  const scores = matMul(g, query, key, { transB: true, alpha: 1 / Math.sqrt(headDim) }); // [b, kvHeads, group · t, t]
  const square = [batch, heads, sequence, sequence];
  const attention = softmax(g, add(g, reshape(g, scores, square), causalMask(g, sequence)));
  const mixed = matMul(g, reshape(g, attention, [batch, kvHeads, group * sequence, sequence]), value);
  const perHead = reshape(g, mixed, [batch, heads, sequence, headDim]);
  return reshape(g, transpose(g, perHead, [0, 2, 1, 3]), [batch * sequence, heads * headDim]);
}

/** [n, heads · headDim] → [b, heads, t, headDim]. */
function headsFirst({ g, config, batch, sequence }: Forward, x: Tensor, heads: number): Tensor {
  return transpose(g, reshape(g, x, [batch, sequence, heads, config.headDim]), [0, 2, 1, 3]);
}

function rotated({ g, config, sequence }: Forward, x: Tensor): Tensor {
  if (!config.rope) return x;
  const [cos, sin] = (['cos', 'sin'] as const).map((part) =>
    g.constant(ropeTable(config, part, sequence), [sequence, config.headDim / 2]),
  );
  return rotaryEmbedding(g, x, cos!, sin!);
}

/** [t, t]: 0 where a row may look, MASKED behind it. Made in the graph, since it grows with the square of t. */
function causalMask(g: Tape, sequence: number): Tensor {
  const all = expand(g, g.scalar(MASKED), [sequence, sequence]);
  return g.op('Trilu', [all, g.constant([1], [], 'int64')], all, { upper: { int: 1 } });
}
