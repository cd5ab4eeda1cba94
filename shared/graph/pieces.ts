/** The matrices of a model strip by strip, so that no tensor is in memory as float32 as a whole. */
import { AiloError } from '../errors/index.ts';
import type { WeightReader } from '../model/types.ts';
import { INT4_BLOCK, STRIP_VALUES } from './limits.ts';
import type { Matrix } from './quantise.ts';
import type { MatrixSource } from './types.ts';

/**
 * The matrix in pieces, tensor by tensor: with layout 'out-in' whole outputs, with 'in-out' whole inputs, `INT4_BLOCK` of
 * them or a multiple except at the end. Throws TENSOR_MISSING, TENSOR_INVALID (before it is read) and the source's errors.
 */
export async function* pieces(
  source: MatrixSource,
  weights: WeightReader,
  signal?: AbortSignal,
): AsyncGenerator<Matrix, void, void> {
  const { layout, inSize, outSizes, part } = source;
  let firstOut = 0;
  for (const [index, name] of source.tensors.entries()) {
    const outSize = outSizes[index]!;
    const width = checkedWidth(name, source, outSize, weights);
    const [rowAxis, columnAxis] = layout === 'out-in' ? (['out', 'in'] as const) : (['in', 'out'] as const);
    const start = part?.axis === rowAxis ? part.start : 0;
    const end = start + (rowAxis === 'in' ? inSize : outSize);
    // Columns lie strewn all over a matrix: it is read whole, and the piece steps over the others.
    const column = part?.axis === columnAxis ? part.start : 0;
    for await (const strip of strips(name, { start, end, width }, weights, signal)) {
      const data = strip.data.subarray(column);
      const rows = strip.data.length / width;
      yield layout === 'out-in'
        ? { data, inSize, outSize: rows, inStride: 1, outStride: width, firstIn: 0, firstOut: firstOut + strip.row }
        : { data, inSize: rows, outSize, inStride: width, outStride: 1, firstIn: strip.row, firstOut };
    }
    firstOut += outSize;
  }
}

/** Rows `start` to `end` of a tensor, each of `width` values; the next strip arrives while one is worked on. */
export async function* strips(
  name: string,
  { start, end, width }: { start: number; end: number; width: number },
  weights: WeightReader,
  signal?: AbortSignal,
): AsyncGenerator<{ row: number; data: Float32Array }, void, void> {
  const rows = INT4_BLOCK * Math.max(1, Math.floor(STRIP_VALUES / width / INT4_BLOCK));
  const read = (from: number) => {
    const strip = weights.readFloat32Rows(name, from, Math.min(end, from + rows), signal);
    // It may fail while nobody waits for it yet.
    strip.catch(() => undefined);
    return strip;
  };
  let next = read(start);
  for (let from = start; from < end; from += rows) {
    const data = await next;
    if (from + rows < end) next = read(from + rows);
    yield { row: from - start, data };
  }
}

/** Columns of the tensor, whose shape must be what the configuration says. */
function checkedWidth(
  name: string,
  { layout, inSize, part }: MatrixSource,
  outSize: number,
  weights: WeightReader,
): number {
  const whole = { in: inSize, out: outSize };
  if (part) whole[part.axis] = part.of;
  const expected = layout === 'out-in' ? [whole.out, whole.in] : [whole.in, whole.out];
  const { shape } = weights.info(name);
  if (shape.length !== 2 || shape[0] !== expected[0] || shape[1] !== expected[1]) {
    const reason = `its shape is [${shape}] where the configuration needs [${expected}]`;
    throw AiloError.of('TENSOR_INVALID', { name, reason });
  }
  return shape[1]!;
}
