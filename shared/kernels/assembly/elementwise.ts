import { argument, take } from './layout';
import { exp4 } from './math';

/** Values of one task, a multiple of 4. */
const CHUNK: usize = 512;

export const ADD: usize = 0;
export const MULTIPLY: usize = 1;
export const SILU: usize = 2;
export const GELU: usize = 3;
export const GELU_TANH: usize = 4;

/** Arguments 2 a, 3 b (of ADD and MULTIPLY), 4 result, 5 values of a row (a multiple of 4), 6 which. */
export function elementwise(at: usize, tasks: usize, rows: i32): void {
  const a: usize = argument(at, 2);
  const b: usize = argument(at, 3);
  const to: usize = argument(at, 4);
  const which = argument(at, 6);
  const values = <usize>rows * argument(at, 5);
  for (let start = <usize>take(tasks) * CHUNK; start < values; start = <usize>take(tasks) * CHUNK) {
    const end = min(values, start + CHUNK) << 2;
    for (let i = start << 2; i < end; i += 16) {
      const x = v128.load(a + i);
      if (which === ADD) v128.store(to + i, f32x4.add(x, v128.load(b + i)));
      else if (which === MULTIPLY) v128.store(to + i, f32x4.mul(x, v128.load(b + i)));
      else if (which === SILU) v128.store(to + i, silu(x));
      else if (which === GELU) v128.store(to + i, gelu(x));
      else v128.store(to + i, geluTanh(x));
    }
  }
}

function silu(x: v128): v128 {
  return f32x4.div(x, f32x4.add(f32x4.splat(1), exp4(f32x4.neg(x))));
}

/** x · (1 + tanh(√(2/π) · (x + 0.044715 x³))) / 2, which is x · σ of twice that argument. */
function geluTanh(x: v128): v128 {
  const cubic = f32x4.mul(f32x4.splat(0.044715), f32x4.mul(x, f32x4.mul(x, x)));
  const twice = f32x4.mul(f32x4.splat(1.5957691216057308), f32x4.add(x, cubic));
  return f32x4.div(x, f32x4.add(f32x4.splat(1), exp4(f32x4.neg(twice))));
}

/** x · (1 + erf(x / √2)) / 2, erf by Abramowitz and Stegun 7.1.26 (error below 1.5e-7). */
function gelu(x: v128): v128 {
  const z = f32x4.mul(f32x4.abs(x), f32x4.splat(<f32>Math.SQRT1_2));
  const t = f32x4.div(f32x4.splat(1), f32x4.add(f32x4.splat(1), f32x4.mul(f32x4.splat(0.3275911), z)));
  let p = f32x4.splat(1.061405429);
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(-1.453152027));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(1.421413741));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(-0.284496736));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(0.254829592));
  const erf = f32x4.sub(f32x4.splat(1), f32x4.mul(f32x4.mul(p, t), exp4(f32x4.neg(f32x4.mul(z, z)))));
  const signed = v128.or(erf, v128.and(x, f32x4.splat(-0.0)));
  return f32x4.mul(f32x4.mul(f32x4.splat(0.5), x), f32x4.add(f32x4.splat(1), signed));
}
