/** By how much two engines differ on the same stage and the same input: what a check must allow for. */
import * as web from 'onnxruntime-web/wasm';
import { buildKernels } from '../../../extension/compute/build-kernels.ts';
import { distance } from '../../../server/coordinator/honesty/verdict.ts';
import { folderSource } from '../../../server/model/folder-source.ts';
import { createNodeRuntime } from '../../../server/runtime/node-runtime.ts';
import { materialise } from '../../../shared/graph/materialise.ts';
import { buildStage } from '../../../shared/graph/stage.ts';
import { QUANTS, type Quant, type StageGraph } from '../../../shared/graph/types.ts';
import { wireOf } from '../../../shared/graph/wire.ts';
import { kernelStages } from '../../../shared/kernels/open-stage.ts';
import { loadConfig } from '../../../shared/model/config.ts';
import type { ModelConfig, WeightReader } from '../../../shared/model/types.ts';
import { openWeights } from '../../../shared/model/weights.ts';
import { rowsPerStep, stepsOf } from '../../../shared/node/step.ts';
import { copiedKvCache } from '../../../shared/runtime/kv-cache.ts';
import type { Ort } from '../../../shared/runtime/ort.ts';
import { createOrtRuntime, type OtherStages } from '../../../shared/runtime/ort-runtime.ts';
import type { Runtime } from '../../../shared/runtime/types.ts';
import { seededRandom } from '../../../shared/sampler/random.ts';
import type { Frame } from '../../../shared/tensor/frame.ts';
import { decodeRows, encodeRows } from '../../../shared/tensor/payload.ts';
import { SKETCH_COLUMNS, sketch } from '../../../shared/tensor/sketch.ts';

const ROWS = 200;
const PROMPT_ROWS = 20;
const CONTEXT = 256;
const UNITS_PER_STAGE = 3;
const STAGES = 4;
const BUDGET_BYTES = 2 ** 28;

export interface Difference {
  rows: number;
  /** Of one row, as a share of its length. */
  max: number;
  p99: number;
}

/** onnxruntime-node against onnxruntime-web (WASM) and the kernels, row by row, over `texts` texts of random tokens. */
export async function measureEngines(modelDir: string, texts: number): Promise<Record<string, Difference>> {
  const source = folderSource(modelDir);
  const model = { config: await loadConfig(source), weights: await openWeights(source) };
  const node = createNodeRuntime({ budgetBytes: BUDGET_BYTES, threads: 1 });
  const [wasm, kernels] = [wasmRuntime(), await kernelRuntime()];
  const results: Record<string, Difference> = {};
  const pairs = QUANTS.map((quant) => ({ name: quant as string, quant, other: wasm }));
  for (const { name, quant, other } of [
    ...pairs,
    { name: 'int8 in the kernels', quant: 'int8' as const, other: kernels },
  ]) {
    const differences: number[] = [];
    for (let text = 0; text < texts; text++) {
      const random = seededRandom(text);
      const tokens = Int32Array.from({ length: ROWS }, () => random() % model.config.vocabSize);
      differences.push(...(await differencesOf(model, [node, other], quant, tokens)));
    }
    differences.sort((a, b) => a - b);
    const p99 = differences[Math.ceil(0.99 * differences.length) - 1]!;
    results[name] = { rows: differences.length, max: differences.at(-1)!, p99 };
  }
  await Promise.all([node, wasm, kernels].map((runtime) => runtime.close()));
  return results;
}

async function kernelRuntime(): Promise<Runtime> {
  const module = await WebAssembly.compile(await buildKernels());
  // The caller's thread is the only one.
  const startThread = () => Promise.reject(new Error('no thread was asked for'));
  return wasmRuntime(kernelStages({ module, threads: 1, startThread }));
}

function wasmRuntime(others?: OtherStages): Runtime {
  web.env.wasm.numThreads = 1;
  const ort = web as unknown as Ort;
  return createOrtRuntime({
    ort,
    engine: 'wasm',
    budgetBytes: BUDGET_BYTES,
    session: { executionProviders: ['wasm'] },
    createKvCache: (graph) => copiedKvCache(ort, graph),
    ...(others && { others }),
    nowMs: () => performance.now(),
  });
}

interface Model {
  config: ModelConfig;
  weights: WeightReader;
}

/** Both engines get what the first one made of the stage before. */
async function differencesOf(
  model: Model,
  [first, second]: [Runtime, Runtime],
  quant: Quant,
  tokens: Int32Array,
): Promise<number[]> {
  const differences: number[] = [];
  let input: Int32Array | Float32Array = tokens;
  for (let start = 0; start < STAGES * UNITS_PER_STAGE; start += UNITS_PER_STAGE) {
    const range = { start, end: start + UNITS_PER_STAGE };
    const graph = buildStage(model.config, range, { quant, contextLength: CONTEXT });
    const columns = graph.gives === 'logits' ? SKETCH_COLUMNS : graph.outWidth;
    const a = await rowsOf(first, model, graph, quant, input);
    const b = await rowsOf(second, model, graph, quant, input);
    for (let at = 0; at < a.length; at += columns) {
      differences.push(distance(a.subarray(at, at + columns), b.subarray(at, at + columns), columns));
    }
    input = a;
  }
  return differences;
}

/** What the stage sends, or the sketches of its logits, as they are compared. */
async function rowsOf(
  runtime: Runtime,
  { config, weights }: Model,
  graph: StageGraph,
  quant: Quant,
  input: Int32Array | Float32Array,
): Promise<Float32Array> {
  const stage = await runtime.load(graph, (weight) => materialise(weight, weights, config), { maxSequences: 1 });
  const head = { job: '0'.repeat(32), sequence: 0, position: 0, sampleAfter: true };
  const frame: Frame =
    input instanceof Int32Array
      ? { ...head, kind: 'tokens', ids: input }
      : { ...head, kind: 'hidden', rows: ROWS, data: input };
  const rows: number[] = [];
  for (const step of stepsOf(frame, graph, rowsPerStep(graph, wireOf(quant)), PROMPT_ROWS)) {
    const [output] = await stage.run([{ sequence: 'text', position: step.position, input: step.input }]);
    if (output!.kind === 'logits') rows.push(...sketch(output!.data));
    else
      rows.push(
        ...decodeRows(
          encodeRows(output!.data, output!.rows, wireOf(quant)),
          output!.rows,
          graph.outWidth,
          wireOf(quant),
        ),
      );
  }
  await stage.release();
  return Float32Array.from(rows);
}
