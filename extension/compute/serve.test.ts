import { fileURLToPath } from 'node:url';
import { MessageChannel } from 'node:worker_threads';
import { afterEach, expect, test } from 'vitest';
import { folderSource } from '../../server/model/folder-source.ts';
import { createNodeRuntime } from '../../server/runtime/node-runtime.ts';
import { AiloError } from '../../shared/errors/index.ts';
import { generate } from '../../shared/generate/generate.ts';
import { materialise } from '../../shared/graph/materialise.ts';
import { buildStage } from '../../shared/graph/stage.ts';
import type { WeightSpec } from '../../shared/graph/types.ts';
import { loadConfig } from '../../shared/model/config.ts';
import { openWeights } from '../../shared/model/weights.ts';
import type { Runtime } from '../../shared/runtime/types.ts';
import { GREEDY } from '../../shared/sampler/types.ts';
import { runtimeOverPort } from './client.ts';
import type { Port } from './rpc.ts';
import { serveRuntime } from './serve.ts';

/** The page and the worker of the extension, both here, with the engine of Node behind a real message channel. */
function connected({ budgetBytes = 64 * 2 ** 20 } = {}) {
  const { port1, port2 } = new MessageChannel();
  // Node's ports start by themselves only for `on('message')`.
  for (const port of [port1, port2]) port.start();
  serveRuntime(port2 as unknown as Port, async ({ engine, budgetBytes: budget }) => {
    if (engine !== 'wasm') throw AiloError.of('ENGINE_UNAVAILABLE', { engine, reason: 'there is none in this test' });
    return createNodeRuntime({ budgetBytes: budget, threads: 1 });
  });
  const open = (engine: 'wasm' | 'webgpu') =>
    runtimeOverPort(port1 as unknown as Port, { engine, budgetBytes }, () => port1.close());
  closing.push(() => port1.close());
  return open;
}

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

const source = folderSource(fileURLToPath(new URL('../../tests/fixtures/qwen2-untied/', import.meta.url)));
const config = await loadConfig(source);
const weights = await openWeights(source);
const whole = buildStage(config, { start: 0, end: 6 }, { quant: 'f32', contextLength: 16 });
const read = (weight: WeightSpec) => materialise(weight, weights, config);
const step = (position: number) => ({
  sequence: 'a',
  position,
  input: { kind: 'tokens' as const, ids: Int32Array.of(5) },
});

test('a runtime behind a port gives the same tokens as one here', async () => {
  const options = { config, weights, tokens: [1, 2, 3], maxNewTokens: 8, sampling: GREEDY, stages: 3 };
  const tokens = async (runtime: Runtime) => {
    const all: number[] = [];
    const run = generate({ ...options, runtime, quant: 'f32', nowMs: () => 0 });
    for await (const event of run) if (event.kind === 'token') all.push(event.token);
    return all;
  };
  const here = await tokens(createNodeRuntime({ budgetBytes: 2 ** 30, threads: 1 }));
  expect(await tokens(await connected()('wasm').runtime)).toEqual(here);
});

test('errors keep their code and sentence', async () => {
  const runtime = await connected({ budgetBytes: 1000 })('wasm').runtime;
  await expect(runtime.load(whole, read, { maxSequences: 1 })).rejects.toMatchObject({
    name: 'AiloError',
    code: 'MEMORY_BUDGET_EXCEEDED',
  });
  await expect(connected()('webgpu').runtime).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
});

test('an error of the page that reads the weights comes back through the worker', async () => {
  const runtime = await connected()('wasm').runtime;
  const broken = async () => Promise.reject(AiloError.of('TENSOR_MISSING', { name: 'q' }));
  await expect(runtime.load(whole, broken, { maxSequences: 1 })).rejects.toMatchObject({ code: 'TENSOR_MISSING' });
});

test('loading tells its progress and can be cancelled', async () => {
  const runtime = await connected()('wasm').runtime;
  const cancel = new AbortController();
  const seen: number[] = [];
  const onProgress = (loaded: number, total: number) => {
    seen.push(loaded / total);
    if (seen.length === 3) cancel.abort();
  };
  const loading = runtime.load(whole, read, { maxSequences: 1, signal: cancel.signal, onProgress });
  await expect(loading).rejects.toMatchObject({ code: 'CANCELLED' });
  expect(seen).toHaveLength(3);
  seen.length = 0;
  await runtime.load(whole, read, { maxSequences: 1, onProgress: (loaded, total) => seen.push(loaded / total) });
  expect(seen.at(-1)).toBe(1);
});

test('a step does not take the caller’s own memory away', async () => {
  const runtime = await connected()('wasm').runtime;
  const stage = await runtime.load(whole, read, { maxSequences: 1 });
  const first = step(0);
  await stage.run([first]);
  expect([...first.input.ids]).toEqual([5]);
  await stage.drop('a');
  await expect(stage.run([step(1)])).rejects.toMatchObject({ code: 'POSITION_INVALID' });
  await stage.release();
  await expect(stage.run([step(0)])).rejects.toMatchObject({ code: 'STAGE_RELEASED' });
});

test('when the worker is gone, nothing waits for it', async () => {
  const { runtime, fail } = connected()('wasm');
  const stage = await (await runtime).load(whole, read, { maxSequences: 1 });
  const running = stage.run([step(0)]);
  fail(AiloError.of('ENGINE_UNAVAILABLE', { engine: 'wasm', reason: 'it crashed' }));
  await expect(running).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
  await expect(stage.run([step(1)])).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
});
