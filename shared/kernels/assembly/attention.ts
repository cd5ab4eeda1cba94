import { argument, CACHE, float, POSITION, take } from './layout';
import { exp4, sum4 } from './math';

/**
 * RoPE (Su et al. 2021), halves rotated, in place: arguments 2 values [rows, stride], 3 bytes of a row, 4 heads, 5
 * headDim, 6 cosines, 7 sines, each [positions, headDim / 2].
 */
export function rotate(at: usize, tasks: usize, rows: i32): void {
  const heads = <i32>argument(at, 4);
  const half = argument(at, 5) << 1;
  const first = load<i32>(POSITION);
  for (let row = take(tasks); row < rows; row = take(tasks)) {
    const angles = <usize>(first + row) * half;
    let x: usize = argument(at, 2) + <usize>row * argument(at, 3);
    for (let head = 0; head < heads; head++) {
      for (let i: usize = 0; i < half; i += 4) {
        const a = load<f32>(x + i);
        const b = load<f32>(x + i + half);
        const cos = load<f32>(argument(at, 6) + angles + i);
        const sin = load<f32>(argument(at, 7) + angles + i);
        store<f32>(x + i, a * cos - b * sin);
        store<f32>(x + i + half, b * cos + a * sin);
      }
      x += half << 1;
    }
  }
}

/**
 * Puts the step's keys or values into the cache [kvHeads, contextLength, headDim]: arguments 2 values, 3 bytes of a row,
 * 4 kvHeads, 5 headDim, 6 contextLength, 7 where the layer's cache is in the sequence's.
 */
export function append(at: usize, tasks: usize, rows: i32): void {
  const bytes = argument(at, 5) << 2;
  const cache: usize = <usize>load<u32>(CACHE) + argument(at, 7);
  const first = load<i32>(POSITION);
  for (let row = take(tasks); row < rows; row = take(tasks)) {
    const from: usize = argument(at, 2) + <usize>row * argument(at, 3);
    for (let head: usize = 0; head < argument(at, 4); head++) {
      const place = head * argument(at, 6) + <usize>(first + row);
      memory.copy(cache + place * bytes, from + head * bytes, bytes);
    }
  }
}

/**
 * Causal attention of each head over the cache: arguments 2 queries, 3 bytes of their rows, 4 result [rows, heads ·
 * headDim], 5 heads, 6 kvHeads, 7 headDim, 8 contextLength, 9 keys and 10 values in the sequence's cache, 11 scale.
 */
export function attend(at: usize, tasks: usize, rows: i32, scores: usize): void {
  const heads = <i32>argument(at, 5);
  const group = heads / <i32>argument(at, 6);
  const bytes = argument(at, 7) << 2;
  const cache: usize = <usize>load<u32>(CACHE);
  const first = load<i32>(POSITION);
  for (let task = take(tasks); task < rows * heads; task = take(tasks)) {
    const row = task / heads;
    const head = task % heads;
    const offset = <usize>(head / group) * argument(at, 8) * bytes;
    const query: usize = argument(at, 2) + <usize>row * argument(at, 3) + <usize>head * bytes;
    const length = <usize>(first + row + 1);
    const total = weigh(query, cache + argument(at, 9) + offset, bytes, length, float(at, 11), scores);
    const to: usize = argument(at, 4) + <usize>task * bytes;
    mix(scores, cache + argument(at, 10) + offset, bytes, length, <f32>1 / total, to);
  }
}

/** scores = e^(q · k · scale − the largest), for every position; gives their sum. */
function weigh(query: usize, keys: usize, bytes: usize, length: usize, scale: f32, scores: usize): f32 {
  let largest: f32 = -Infinity;
  for (let place: usize = 0; place < length; place++) {
    let product = f32x4.splat(0);
    for (let i: usize = 0; i < bytes; i += 16) {
      product = f32x4.add(product, f32x4.mul(v128.load(query + i), v128.load(keys + i)));
    }
    const score = sum4(product) * scale;
    store<f32>(scores + (place << 2), score);
    largest = max(largest, score);
    keys += bytes;
  }
  // Whole vectors: what lies behind the last score counts as nothing.
  for (let place = length; (place & 3) !== 0; place++) store<f32>(scores + (place << 2), -Infinity);
  let total = f32x4.splat(0);
  for (let i: usize = 0; i < length << 2; i += 16) {
    const weights = exp4(f32x4.sub(v128.load(scores + i), f32x4.splat(largest)));
    v128.store(scores + i, weights);
    total = f32x4.add(total, weights);
  }
  return sum4(total);
}

/** Σ weight · value over the positions, times `factor`. */
function mix(weights: usize, values: usize, bytes: usize, length: usize, factor: f32, to: usize): void {
  let i: usize = 0;
  for (; i + 64 <= bytes; i += 64) {
    let a = f32x4.splat(0);
    let b = f32x4.splat(0);
    let c = f32x4.splat(0);
    let d = f32x4.splat(0);
    let value = values + i;
    for (let place: usize = 0; place < length; place++) {
      const weight = v128.load32_splat(weights + (place << 2));
      a = f32x4.add(a, f32x4.mul(weight, v128.load(value)));
      b = f32x4.add(b, f32x4.mul(weight, v128.load(value, 16)));
      c = f32x4.add(c, f32x4.mul(weight, v128.load(value, 32)));
      d = f32x4.add(d, f32x4.mul(weight, v128.load(value, 48)));
      value += bytes;
    }
    v128.store(to + i, f32x4.mul(a, f32x4.splat(factor)));
    v128.store(to + i, f32x4.mul(b, f32x4.splat(factor)), 16);
    v128.store(to + i, f32x4.mul(c, f32x4.splat(factor)), 32);
    v128.store(to + i, f32x4.mul(d, f32x4.splat(factor)), 48);
  }
  for (; i < bytes; i += 16) {
    let a = f32x4.splat(0);
    for (let place: usize = 0; place < length; place++) {
      a = f32x4.add(a, f32x4.mul(v128.load32_splat(weights + (place << 2)), v128.load(values + place * bytes + i)));
    }
    v128.store(to + i, f32x4.mul(a, f32x4.splat(factor)));
  }
}
