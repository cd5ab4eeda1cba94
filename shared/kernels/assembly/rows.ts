import { argument, ROWS, take } from './layout';

/** Rows of a table by index: arguments 2 table, 3 indices int32, 4 result, 5 bytes of a row. */
export function gather(at: usize, tasks: usize, rows: i32): void {
  const bytes: usize = argument(at, 5);
  for (let row = take(tasks); row < rows; row = take(tasks)) {
    const index = load<u32>(argument(at, 3) + ((<usize>row) << 2));
    memory.copy(argument(at, 4) + <usize>row * bytes, argument(at, 2) + <usize>index * bytes, bytes);
  }
}

/** Of each row, some columns: arguments 2 from, 3 bytes of its rows, 4 result, 5 bytes of its rows. */
export function columns(at: usize, tasks: usize, rows: i32): void {
  const bytes: usize = argument(at, 5);
  for (let row = take(tasks); row < rows; row = take(tasks)) {
    memory.copy(argument(at, 4) + <usize>row * bytes, argument(at, 2) + <usize>row * argument(at, 3), bytes);
  }
}

/** The step's last row: arguments 2 from, 3 result, 4 bytes of a row. */
export function lastRow(at: usize, tasks: usize): void {
  if (take(tasks) !== 0) return;
  const bytes: usize = argument(at, 4);
  memory.copy(argument(at, 3), argument(at, 2) + <usize>(load<i32>(ROWS) - 1) * bytes, bytes);
}
