/** Whether two nodes computed the same, and who did not. Pure. */
import type { Quant } from '../../../shared/graph/types.ts';
import type { WireDtype } from '../../../shared/tensor/payload.ts';

/**
 * By how much rows may differ: a share of their length (L2). Engines differ by 2e-6 in f32; what is rounded to 8 bits can
 * fall to either side, which makes 1.3e-2 (onnxruntime in Node.js against its WASM or the kernels); GPUs multiply 4-bit
 * weights to 5e-3. `npm run bench -- honesty` measures.
 */
const TOLERANCE: Record<Quant, number> = { f32: 1e-3, int8: 3e-2, int4: 2e-2 };

/** A value that is rounded to 8 bits for its way, and falls to the other side, moves a row by 1/127 at most. */
const INT8_WIRE_TOLERANCE = 2e-2;

export function toleranceOf(quant: Quant, wire: WireDtype): number {
  return wire === 'int8' ? Math.max(INT8_WIRE_TOLERANCE, TOLERANCE[quant]) : TOLERANCE[quant];
}

/** The largest difference of two rows of the same place, as a share of the longer. Infinity where one has no number. */
export function distance(a: Float32Array, b: Float32Array, columns: number): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let start = 0; start < a.length; start += columns) {
    let [apart, lengthA, lengthB] = [0, 0, 0];
    for (let i = start; i < start + columns; i++) {
      apart += (a[i]! - b[i]!) ** 2;
      lengthA += a[i]! ** 2;
      lengthB += b[i]! ** 2;
    }
    if (apart === 0) continue;
    const share = Math.sqrt(apart / Math.max(lengthA, lengthB));
    if (!(share < Number.POSITIVE_INFINITY)) return Number.POSITIVE_INFINITY;
    largest = Math.max(largest, share);
  }
  return largest;
}

/** What somebody says a stage computed. */
export interface Opinion {
  node: string;
  /** [rows, columns], row-major. */
  values: Float32Array;
  columns: number;
  /** Of the last stage, who checks: tokens that cannot have come of it. */
  wrong: readonly number[];
}

export type Judgement =
  | { kind: 'agreed' }
  /** Another has to compute it. */
  | { kind: 'open' }
  /** The others agree against this one. */
  | { kind: 'liar'; node: string }
  /** All differ. */
  | { kind: 'unclear' };

/**
 * `claim` is what was sent, `checks` one or two independent recomputations of it. With two that disagree about the claim,
 * the one that stands alone against two is the liar.
 */
export function judge(claim: Opinion, checks: readonly [Opinion, Opinion?], tolerance: number): Judgement {
  const near = (a: Opinion, b: Opinion) => distance(a.values, b.values, a.columns) <= tolerance;
  const supports = (check: Opinion) => near(claim, check) && check.wrong.length === 0;
  const [first, second] = checks;
  if (supports(first)) return { kind: 'agreed' };
  if (!second) return { kind: 'open' };
  if (supports(second)) return { kind: 'liar', node: first.node };
  return near(first, second) ? { kind: 'liar', node: claim.node } : { kind: 'unclear' };
}
