import { PANEL } from './layout.ts';

/** Bytes of an int8 matrix in panels. */
export function panelBytes(inSize: number, outSize: number): number {
  return panels(outSize) * PANEL * inSize;
}

export function panels(outSize: number): number {
  return Math.ceil(outSize / PANEL);
}

/**
 * int8 [in, out] → int8 [out / 8, in / 2, 8, 2], the order in which a product reads it; columns beyond the last are 0,
 * as `target` has to be before. `inSize` is even.
 */
export function writePanels(target: Int8Array, values: Int8Array, inSize: number, outSize: number): void {
  for (let column = 0; column < outSize; column += PANEL) {
    const width = Math.min(PANEL, outSize - column);
    let at = column * inSize;
    for (let row = 0; row < inSize; row += 2, at += 2 * PANEL) {
      const [even, odd] = [row * outSize + column, (row + 1) * outSize + column];
      for (let i = 0; i < width; i++) {
        target[at + 2 * i] = values[even + i]!;
        target[at + 2 * i + 1] = values[odd + i]!;
      }
    }
  }
}
