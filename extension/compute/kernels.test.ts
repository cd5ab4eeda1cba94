import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { beforeAll, describe, expect, test } from 'vitest';
import { folderSource } from '../../server/model/folder-source.ts';
import { createNodeRuntime } from '../../server/runtime/node-runtime.ts';
import { ort } from '../../server/runtime/onnxruntime.ts';
import { materialise } from '../../shared/graph/materialise.ts';
import { buildStage } from '../../shared/graph/stage.ts';
import type { Quant } from '../../shared/graph/types.ts';
import { units } from '../../shared/graph/units.ts';
import type { StartThread } from '../../shared/kernels/kernel-stage.ts';
import { kernelStages } from '../../shared/kernels/open-stage.ts';
import { loadConfig } from '../../shared/model/config.ts';
import { openWeights } from '../../shared/model/weights.ts';
import { createOrtRuntime } from '../../shared/runtime/ort-runtime.ts';
import type { Runtime, StageStep } from '../../shared/runtime/types.ts';
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
    others: kernelStages({ module, threads, startThread }),
  });
}

async function open(runtime: Runtime, name: string, quant: Quant, lanes = 1) {
  const source = folderSource(fileURLToPath(new URL(`../../tests/fixtures/${name}/`, import.meta.url)));
  const config = await loadConfig(source);
  const weights = await openWeights(source);
  const graph = buildStage(config, { start: 0, end: units(config).length }, { quant, contextLength: 32, lanes });
  const stage = await runtime.load(graph, (weight) => materialise(weight, weights, config), { maxSequences: 4 });
  return { stage };
}

/** The logits after each step of so many of the tokens. */
async function logits(runtime: Runtime, name: string, quant: Quant, steps: number[]): Promise<Float32Array[]> {
  const { stage } = await open(runtime, name, quant);
  const rows: Float32Array[] = [];
  let position = 0;
  for (const count of steps) {
    const ids = Int32Array.from(TOKENS.slice(position, position + count));
    const [output] = await stage.run([{ sequence: 'a', position, input: { kind: 'tokens', ids } }]);
    rows.push(output!.data.slice());
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

/** Outside reference: onnxruntime, and the f32 graphs, which tests/fixtures/make_reference.py binds to PyTorch. */
describe.each(['gpt2-f16', 'qwen2-tied-bf16', 'qwen2-untied', 'llama3-rope'])('%s in the kernels', (name) => {
  test('differs from onnxruntime by less than 8 bits do from f32', async () => {
    const [node, own] = [createNodeRuntime({ budgetBytes: BUDGET_BYTES, threads: 1 }), kernels(1)];
    const steps = [8, 1, 1, 1];
    const exact = await logits(node, name, 'f32', steps);
    const theirs = await logits(node, name, 'int8', steps);
    const ours = await logits(own, name, 'int8', steps);
    expect(distance(ours, theirs)).toBeLessThan(distance(theirs, exact) / 2);
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

  test('has what each step has alone, as many logits as it asks for, and goes back', async () => {
    const { stage } = await open(kernels(1), name, 'int8', 4);
    const step = (sequence: string, position: number, rows: number, wanted: number): StageStep => {
      const ids = Int32Array.from(TOKENS.slice(position, position + rows));
      return { sequence, position, input: { kind: 'tokens', ids }, logits: wanted };
    };
    const [alone] = await stage.run([step('a', 0, 7, 7)]);
    const width = alone!.data.length / 7;
    const rows = (start: number, end: number) => alone!.data.slice(start * width, end * width);
    const [three, none, one] = await stage.run([step('b', 0, 5, 3), step('c', 0, 4, 0), step('d', 0, 2, 1)]);
    expect([three!.data, none!.data, one!.data]).toEqual([rows(2, 5), rows(0, 0), rows(1, 2)]);
    const [next, back] = await stage.run([step('c', 4, 1, 1), step('b', 3, 4, 4)]);
    expect([next!.data, back!.data]).toEqual([rows(4, 5), rows(3, 7)]);
    await stage.release();
  });
});

test('leaves what they do not know to onnxruntime', async () => {
  for (const [name, quant] of [
    ['mixtral', 'int8'],
    ['qwen2-untied', 'f32'],
    ['qwen2-untied', 'int4'],
  ] as const) {
    await expect(logits(kernels(1), name, quant, [3])).rejects.toThrow('onnxruntime was asked');
  }
});
