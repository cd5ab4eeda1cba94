import type { Tape, Tensor } from './tape.ts';

/** RoPE (Su et al. 2021), halves rotated: x [b, heads, t, headDim] from position 0 on; cos, sin [t, headDim / 2]. */
export function rotaryEmbedding(g: Tape, x: Tensor, cos: Tensor, sin: Tensor): Tensor {
  const start = g.ints([0]);
  return g.op('RotaryEmbedding', [x, start, cos, sin], { shape: x.shape }, {}, 'com.microsoft');
}
