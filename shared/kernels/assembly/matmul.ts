import { argument, take } from './layout';
import { max4 } from './math';

/**
 * Columns of a panel. Weights lie as they are read: panel by panel, in it pair of inputs by pair, in that column by
 * column: int8 [out / 8, in / 2, 8, 2].
 */
const PANEL: i32 = 8;

/**
 * x float32 [rows, width] → whole numbers as int16, the row's largest magnitude becoming `steps`. A row's scale depends on
 * that row alone. Arguments 2 x, 3 result, 4
 * scales of the rows, 5 width, 6 steps.
 */
export function quantise(at: usize, tasks: usize, rows: i32): void {
  for (let row = take(tasks); row < rows; row = take(tasks)) quantiseRow(at, row);
}

function quantiseRow(at: usize, row: i32): void {
  const width = <i32>argument(at, 5);
  const steps = <f32>argument(at, 6);
  const x = argument(at, 2) + ((<usize>(row * width)) << 2);
  const to = argument(at, 3) + ((<usize>(row * width)) << 1);
  let largest4 = f32x4.splat(0);
  for (let i: usize = 0; i < (<usize>width) << 2; i += 16) largest4 = f32x4.max(largest4, f32x4.abs(v128.load(x + i)));
  const largest = max4(largest4);
  store<f32>(argument(at, 4) + ((<usize>row) << 2), largest / steps);
  const factor = f32x4.splat(largest > 0 ? steps / largest : 0);
  for (let i: usize = 0; i < <usize>width; i += 4) {
    const scaled = f32x4.nearest(f32x4.mul(v128.load(x + (i << 2)), factor));
    const whole = i32x4.trunc_sat_f32x4_s(scaled);
    v128.store64_lane(to + (i << 1), i16x8.narrow_i32x4_s(whole, whole), 0);
  }
}

/**
 * int16 [rows, in] with a scale per row · int8 [in, out] with a scale per column + bias → float32 [rows, out]. Arguments 2
 * values and 3 scales of the rows, 4 values and 5 scales of the columns, 6 bias, 7 result, 8 in, 9 out, 10 panels a task.
 * Scales and bias are there for whole panels.
 */
export function matmul(at: usize, tasks: usize, rows: i32, scratch: usize): void {
  const inSize = <i32>argument(at, 8);
  const outSize = <i32>argument(at, 9);
  const group = <i32>argument(at, 10);
  const panels = (outSize + PANEL - 1) / PANEL;
  const count = (panels + group - 1) / group;
  for (let task = take(tasks); task < count; task = take(tasks)) {
    const end = min(panels, (task + 1) * group);
    for (let panel = task * group; panel < end; panel++) {
      let row = 0;
      for (; row + 4 <= rows; row += 4) fourRows(at, row, panel, inSize, outSize, scratch);
      for (; row < rows; row++) oneRow(at, row, panel, inSize, outSize, scratch);
    }
  }
}

function oneRow(at: usize, row: i32, panel: i32, inSize: i32, outSize: i32, scratch: usize): void {
  let x = argument(at, 2) + ((<usize>(row * inSize)) << 1);
  let w = argument(at, 4) + <usize>(panel * PANEL) * <usize>inSize;
  let low = i32x4.splat(0);
  let high = i32x4.splat(0);
  const end = x + ((<usize>inSize) << 1);
  for (; x < end; x += 4) {
    const pair = v128.load32_splat(x);
    low = i32x4.add(low, i32x4.dot_i16x8_s(pair, v128.load_ext<i8>(w)));
    high = i32x4.add(high, i32x4.dot_i16x8_s(pair, v128.load_ext<i8>(w, 8)));
    w += 16;
  }
  put(at, row, panel, outSize, low, high, scratch);
}

function fourRows(at: usize, row: i32, panel: i32, inSize: i32, outSize: i32, scratch: usize): void {
  const stride = (<usize>inSize) << 1;
  let x0 = argument(at, 2) + <usize>row * stride;
  let x1 = x0 + stride;
  let x2 = x1 + stride;
  let x3 = x2 + stride;
  let w = argument(at, 4) + <usize>(panel * PANEL) * <usize>inSize;
  let low0 = i32x4.splat(0);
  let low1 = i32x4.splat(0);
  let low2 = i32x4.splat(0);
  let low3 = i32x4.splat(0);
  let high0 = i32x4.splat(0);
  let high1 = i32x4.splat(0);
  let high2 = i32x4.splat(0);
  let high3 = i32x4.splat(0);
  const end = x1;
  while (x0 < end) {
    const low = v128.load_ext<i8>(w);
    const high = v128.load_ext<i8>(w, 8);
    let pair = v128.load32_splat(x0);
    low0 = i32x4.add(low0, i32x4.dot_i16x8_s(pair, low));
    high0 = i32x4.add(high0, i32x4.dot_i16x8_s(pair, high));
    pair = v128.load32_splat(x1);
    low1 = i32x4.add(low1, i32x4.dot_i16x8_s(pair, low));
    high1 = i32x4.add(high1, i32x4.dot_i16x8_s(pair, high));
    pair = v128.load32_splat(x2);
    low2 = i32x4.add(low2, i32x4.dot_i16x8_s(pair, low));
    high2 = i32x4.add(high2, i32x4.dot_i16x8_s(pair, high));
    pair = v128.load32_splat(x3);
    low3 = i32x4.add(low3, i32x4.dot_i16x8_s(pair, low));
    high3 = i32x4.add(high3, i32x4.dot_i16x8_s(pair, high));
    w += 16;
    x0 += 4;
    x1 += 4;
    x2 += 4;
    x3 += 4;
  }
  put(at, row, panel, outSize, low0, high0, scratch);
  put(at, row + 1, panel, outSize, low1, high1, scratch);
  put(at, row + 2, panel, outSize, low2, high2, scratch);
  put(at, row + 3, panel, outSize, low3, high3, scratch);
}

/** The sums of one row and panel as floats, with scales and bias. */
function put(at: usize, row: i32, panel: i32, outSize: i32, low: v128, high: v128, scratch: usize): void {
  const column = (<usize>(panel * PANEL)) << 2;
  const rowScale = f32x4.splat(load<f32>(argument(at, 3) + ((<usize>row) << 2)));
  const scales = argument(at, 5) + column;
  const bias = argument(at, 6) + column;
  const a = f32x4.mul(f32x4.convert_i32x4_s(low), f32x4.mul(rowScale, v128.load(scales)));
  const b = f32x4.mul(f32x4.convert_i32x4_s(high), f32x4.mul(rowScale, v128.load(scales, 16)));
  const to = argument(at, 7) + ((<usize>row * <usize>outSize) << 2) + column;
  const columns = outSize - panel * PANEL;
  const first = columns >= PANEL ? to : scratch;
  v128.store(first, f32x4.add(a, v128.load(bias)));
  v128.store(first, f32x4.add(b, v128.load(bias, 16)), 16);
  if (columns < PANEL) memory.copy(to, scratch, (<usize>columns) << 2);
}
