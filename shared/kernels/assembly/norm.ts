import { argument, float, take } from './layout';
import { sum4 } from './math';

const RMS: usize = 1;

/**
 * LayerNorm or RMSNorm of x, or of x + skip, which is then given too: arguments 2 x, 3 skip or 0, 4 sum or 0, 5 result,
 * 6 weight, 7 bias, 8 width, 9 epsilon, 10 whether RMSNorm.
 */
export function norm(at: usize, tasks: usize, rows: i32): void {
  for (let row = take(tasks); row < rows; row = take(tasks)) normRow(at, row);
}

function normRow(at: usize, row: i32): void {
  const bytes = argument(at, 8) << 2;
  const offset = <usize>row * bytes;
  let x: usize = argument(at, 2) + offset;
  if (argument(at, 3) !== 0) {
    const skip: usize = argument(at, 3) + offset;
    const sum: usize = argument(at, 4) + offset;
    for (let i: usize = 0; i < bytes; i += 16) v128.store(sum + i, f32x4.add(v128.load(x + i), v128.load(skip + i)));
    x = sum;
  }
  const width = <f32>argument(at, 8);
  const rms = argument(at, 10) === RMS;
  let mean: f32 = 0;
  if (!rms) {
    let total = f32x4.splat(0);
    for (let i: usize = 0; i < bytes; i += 16) total = f32x4.add(total, v128.load(x + i));
    mean = sum4(total) / width;
  }
  const mean4 = f32x4.splat(mean);
  let squares = f32x4.splat(0);
  for (let i: usize = 0; i < bytes; i += 16) {
    const centred = f32x4.sub(v128.load(x + i), mean4);
    squares = f32x4.add(squares, f32x4.mul(centred, centred));
  }
  const factor = f32x4.splat(<f32>1 / sqrt<f32>(sum4(squares) / width + float(at, 9)));
  const to: usize = argument(at, 5) + offset;
  const weight: usize = argument(at, 6);
  const bias: usize = argument(at, 7);
  for (let i: usize = 0; i < bytes; i += 16) {
    const normed = f32x4.mul(f32x4.mul(f32x4.sub(v128.load(x + i), mean4), factor), v128.load(weight + i));
    v128.store(to + i, rms ? normed : f32x4.add(normed, v128.load(bias + i)));
  }
}
