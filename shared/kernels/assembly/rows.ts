import { argument, LOGIT_ROWS, ROWS, take } from './layout';

/** Rows of a table by index: arguments 2 table, 3 indices int32, 4 result, 5 bytes of a row. */
export function gather(at: usize, tasks: usize, rows: i32): void {
  const bytes: usize = argument(at, 5);
  for (let row = take(tasks); row < rows; row = take(tasks)) {
    const index = load<u32>(argument(at, 3) + ((<usize>row) << 2));
    memory.copy(argument(at, 4) + <usize>row * bytes, argument(at, 2) + <usize>index * bytes, bytes);
  }
}

/**
 * Rows of an int8 table as float32: arguments 2 table, 3 scales of its rows, 4 indices int32, 5 result, 6 values of a row
 * (a multiple of 4).
 */
export function gatherInt8(at: usize, tasks: usize, rows: i32): void {
  const width: usize = argument(at, 6);
  for (let row = take(tasks); row < rows; row = take(tasks)) {
    const index = <usize>load<u32>(argument(at, 4) + ((<usize>row) << 2));
    const scale = v128.load32_splat(argument(at, 3) + (index << 2));
    const from: usize = argument(at, 2) + index * width;
    const to: usize = argument(at, 5) + ((<usize>row * width) << 2);
    for (let i: usize = 0; i < width; i += 4) {
      const wide = i16x8.extend_low_i8x16_s(v128.load32_zero(from + i));
      const values = f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(wide));
      v128.store(to + (i << 2), f32x4.mul(values, scale));
    }
  }
}

/** Of each row, some columns: arguments 2 from, 3 bytes of its rows, 4 to, 5 bytes of its rows, 6 bytes to copy. */
export function columns(at: usize, tasks: usize, rows: i32): void {
  const bytes: usize = argument(at, 6);
  for (let row = take(tasks); row < rows; row = take(tasks)) {
    const to = argument(at, 4) + <usize>row * argument(at, 5);
    memory.copy(to, argument(at, 2) + <usize>row * argument(at, 3), bytes);
  }
}

/** The step's last rows, whose logits are wanted: arguments 2 from, 3 result, 4 bytes of a row. */
export function lastRows(at: usize, tasks: usize): void {
  if (take(tasks) !== 0) return;
  const bytes: usize = argument(at, 4);
  const count = load<i32>(LOGIT_ROWS);
  memory.copy(argument(at, 3), argument(at, 2) + <usize>(load<i32>(ROWS) - count) * bytes, <usize>count * bytes);
}
