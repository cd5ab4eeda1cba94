import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import * as ort from 'onnxruntime-node';
import { beforeAll, describe, expect, test } from 'vitest';
import { folderSource } from '../../server/model/folder-source.ts';
import { createNodeRuntime } from '../../server/runtime/node-runtime.ts';
import { materialise } from '../../shared/graph/materialise.ts';
import { buildStage } from '../../shared/graph/stage.ts';
import type { Quant } from '../../shared/graph/types.ts';
import { units } from '../../shared/graph/units.ts';
import type { StartThread } from '../../shared/kernels/kernel-stage.ts';
import { openWithKernels } from '../../shared/kernels/open-stage.ts';
import { loadConfig } from '../../shared/model/config.ts';
import { openWeights } from '../../shared/model/weights.ts';
import { createOrtRuntime } from '../../shared/runtime/ort-runtime.ts';
import type { Runtime } from '../../shared/runtime/types.ts';
import { buildKernels } from './build-kernels.ts';

/** `kernel-thread.ts` for Node.js. */
const THREAD = `
  const { parentPort, workerData: { module, memory, thread } } = require('node:worker_threads');
  const words = new Int32Array(memory.buffer);
  const sleep = {
    sleep: (address, value) => void Atomics.wait(words, address / 4, value),
    rouse: (address) => void Atomics.notify(words, address / 4),
  };
  const { exports } = new WebAssembly.Instance(module, { env: { memory }, sleep });
  parentPort.postMessage('there');
  exports.serve(thread);
`;
const startThread: StartThread = (work) =>
  new Promise((resolve, reject) => {
    const worker = new Worker(THREAD, { eval: true, workerData: work });
    worker.once('message', () => resolve(worker));
    worker.once('error', reject);
  });

const BUDGET_BYTES = 2 ** 28;
const TOKENS = [5, 9, 12, 3, 44, 7, 21, 60, 2, 33, 18];
let module: WebAssembly.Module;
beforeAll(async () => {
  module = await WebAssembly.compile(await buildKernels());
}, 120_000);

function kernels(threads: number): Runtime {
  return createOrtRuntime({
    ...{ ort, engine: 'wasm', budgetBytes: BUDGET_BYTES, session: {}, nowMs: () => 0 },
    createKvCache: () => Promise.reject(new Error('onnxruntime was asked for a stage of int8')),
    openOther: openWithKernels({ module, threads, startThread }),
  });
}

/** The logits after each step of so many of the tokens. */
async function logits(runtime: Runtime, name: string, quant: Quant, steps: number[]): Promise<Float32Array[]> {
  const source = folderSource(fileURLToPath(new URL(`../../tests/fixtures/${name}/`, import.meta.url)));
  const config = await loadConfig(source);
  const weights = await openWeights(source);
  const graph = buildStage(config, { start: 0, end: units(config).length }, { quant, contextLength: 32 });
  const stage = await runtime.load(graph, (weight) => materialise(weight, weights, config), { maxSequences: 1 });
  const rows: Float32Array[] = [];
  let position = 0;
  for (const count of steps) {
    const ids = Int32Array.from(TOKENS.slice(position, position + count));
    rows.push((await stage.run({ sequence: 'a', position, input: { kind: 'tokens', ids } })).data);
    position += count;
  }
  await stage.release();
  return rows;
}

/** ‖a − b‖ / ‖b‖ over all rows. */
function distance(a: Float32Array[], b: Float32Array[]): number {
  let [difference, size] = [0, 0];
  for (const [index, row] of b.entries()) {
    for (const [i, value] of row.entries()) {
      difference += (a[index]![i]! - value) ** 2;
      size += value ** 2;
    }
  }
  return Math.sqrt(difference / size);
}

/** Outside reference: the f32 graphs, which tests/fixtures/make_reference.py binds to PyTorch. */
describe.each(['gpt2-f16', 'qwen2-tied-bf16', 'qwen2-untied', 'llama3-rope'])('%s in the kernels', (name) => {
  test('is closer to f32 than onnxruntime, whose int8 has coarser activations', async () => {
    const [node, own] = [createNodeRuntime({ budgetBytes: BUDGET_BYTES, threads: 1 }), kernels(1)];
    const steps = [8, 1, 1, 1];
    const exact = await logits(node, name, 'f32', steps);
    const ours = distance(await logits(own, name, 'int8', steps), exact);
    expect(ours).toBeLessThan(0.05);
    expect(ours).toBeLessThan(distance(await logits(node, name, 'int8', steps), exact));
    await Promise.all([node.close(), own.close()]);
  });

  test('has the same bits however its rows come, and from any number of threads', async () => {
    const [one, three] = [kernels(1), kernels(3)];
    const together = (await logits(one, name, 'int8', [11])).at(-1);
    for (const steps of [TOKENS.map(() => 1), [3, 8], [6, 5]]) {
      expect((await logits(one, name, 'int8', steps)).at(-1)).toEqual(together);
    }
    expect((await logits(three, name, 'int8', [3, 8])).at(-1)).toEqual(together);
    await Promise.all([one.close(), three.close()]);
  });
});
