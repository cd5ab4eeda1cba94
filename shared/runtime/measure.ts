import type { InferenceSession } from 'onnxruntime-common';
import { GraphBuilder } from '../graph/builder.ts';
import { encodeOnnx } from '../graph/onnx.ts';
import { MEASURE_MS, MEASURE_SPAN_MS } from './limits.ts';
import { createSession, engineFailed, type Ort } from './ort.ts';
import { memoryStaging } from './staging.ts';

const ROWS = 128;
const SIZE = 512;
const PRODUCT_FLOPS = 2 * ROWS * SIZE * SIZE;

/**
 * GFLOP/s of f32 products [128, 512] × [512, 512], as prefill has them, in the fastest of many short spans: what else the
 * machine did at that moment must not decide how much of a model it holds for hours. The first run, which warms up, is
 * not counted.
 */
export async function measureMatMul(
  ort: Ort,
  options: InferenceSession.SessionOptions,
  nowMs: () => number,
): Promise<number> {
  const weights = memoryStaging();
  await weights.put('b', new Uint8Array(new Float32Array(SIZE * SIZE).fill(1 / SIZE).buffer));
  const session = await createSession(ort, productGraph(), weights, options);
  try {
    const feeds = { a: new ort.Tensor('float32', new Float32Array(ROWS * SIZE).fill(1), [1, ROWS, SIZE]) };
    await session.run(feeds);
    const endMs = nowMs() + MEASURE_MS;
    let fastest = 0;
    while (nowMs() < endMs) {
      const startMs = nowMs();
      let products = 0;
      do {
        await session.run(feeds);
        products++;
      } while (nowMs() - startMs < MEASURE_SPAN_MS);
      fastest = Math.max(fastest, (products * PRODUCT_FLOPS) / (nowMs() - startMs) / 1e6);
    }
    return fastest;
  } catch (error) {
    throw engineFailed(error);
  } finally {
    await session.release();
  }
}

function productGraph(): Uint8Array {
  const g = new GraphBuilder({ quant: 'f32', contextLength: 1 });
  const a = g.input('a', 'float32', [1, ROWS, SIZE]);
  const b = g.weight('b', [SIZE, SIZE], { kind: 'copy', tensors: [] });
  g.output(g.matMul(a, b), 'product', [1, ROWS, SIZE]);
  return encodeOnnx(g.graph);
}
