/** The rows in pieces of at most `length`. */
export function slices<T>(rows: readonly T[], length: number): T[][] {
  const pieces: T[][] = [];
  for (let at = 0; at < rows.length; at += length) pieces.push(rows.slice(at, at + length));
  return pieces;
}
