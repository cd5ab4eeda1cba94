import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { folderSource } from '../../server/model/folder-source.ts';
import { createNodeRuntime } from '../../server/runtime/node-runtime.ts';
import { MAX_STEP_ROWS } from '../graph/limits.ts';
import { materialise } from '../graph/materialise.ts';
import { totalBytes } from '../graph/memory.ts';
import { buildStage } from '../graph/stage.ts';
import type { StageGraph, WeightSpec } from '../graph/types.ts';
import { loadConfig } from '../model/config.ts';
import type { ModelConfig, WeightReader } from '../model/types.ts';
import { openWeights } from '../model/weights.ts';
import type { LoadedStage, StageStep } from './types.ts';

const folder = fileURLToPath(new URL('../../tests/fixtures/qwen2-untied/', import.meta.url));
const UNITS = 6;
const CONTEXT = 32;

let config: ModelConfig;
let weights: WeightReader;
let whole: StageGraph;
const read = (weight: WeightSpec) => materialise(weight, weights, config);
const step = (sequence: string, position: number, ...ids: number[]): StageStep => ({
  sequence,
  position,
  input: { kind: 'tokens', ids: Int32Array.from(ids) },
});
const logits = async (stage: LoadedStage, at: StageStep) => [...(await stage.run([at]))[0]!.data];

beforeAll(async () => {
  const source = folderSource(folder);
  config = await loadConfig(source);
  weights = await openWeights(source);
  whole = buildStage(config, { start: 0, end: UNITS }, { quant: 'f32', contextLength: CONTEXT });
});

const runtimeFor = (sequences: number) =>
  createNodeRuntime({ budgetBytes: totalBytes(whole.memory, sequences), threads: 1 });

describe('the memory budget', () => {
  test('is checked before a weight is read, and what is released can be used again', async () => {
    const runtime = runtimeFor(2);
    let reads = 0;
    const counted = (weight: WeightSpec) => {
      reads++;
      return read(weight);
    };
    const first = await runtime.load(whole, read, { maxSequences: 2 });
    const second = () => runtime.load(whole, counted, { maxSequences: 1 });
    await expect(second()).rejects.toMatchObject({ code: 'MEMORY_BUDGET_EXCEEDED' });
    expect(reads).toBe(0);
    await first.release();
    await first.release();
    await (await second()).release();
    expect(reads).toBe(whole.weights.length);
    await runtime.close();
  });

  test('is whole again after a load that failed, whoever was at fault', async () => {
    const runtime = runtimeFor(1);
    const load = (from: typeof read, signal?: AbortSignal) =>
      runtime.load(whole, from, { maxSequences: 1, ...(signal && { signal }) });
    const broken = new Error('the disk is gone');
    await expect(load(() => Promise.reject(broken))).rejects.toBe(broken);
    await expect(load(async () => new Uint8Array(3))).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
    const nonsense = { ...whole, onnx: Uint8Array.of(1, 2, 3) };
    await expect(runtime.load(nonsense, read, { maxSequences: 1 })).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
    await expect(load(read, AbortSignal.abort())).rejects.toMatchObject({ code: 'CANCELLED' });
    const cancel = new AbortController();
    const cancelling = (weight: WeightSpec) => {
      cancel.abort();
      return read(weight);
    };
    await expect(load(cancelling, cancel.signal)).rejects.toMatchObject({ code: 'CANCELLED' });
    await load(read);
    await runtime.close();
  });
});

describe('a loaded stage', () => {
  test('keeps sequences apart, also when their steps are asked for at once', async () => {
    const runtime = runtimeFor(2);
    const stage = await runtime.load(whole, read, { maxSequences: 2 });
    const alone = [await logits(stage, step('a', 0, 1, 2)), await logits(stage, step('a', 2, 3))];
    await stage.drop('a');
    const [a0, b0, a1, b1] = await Promise.all([
      logits(stage, step('a', 0, 1, 2)),
      logits(stage, step('b', 0, 9)),
      logits(stage, step('a', 2, 3)),
      logits(stage, step('b', 1, 8)),
    ]);
    expect([a0, a1]).toEqual(alone);
    expect(b1).not.toEqual(b0);
    await runtime.close();
  });

  test('refuses what it cannot compute and goes on unharmed', async () => {
    const runtime = runtimeFor(1);
    const stage = await runtime.load(whole, read, { maxSequences: 1 });
    const refused = (at: StageStep, code: string) => expect(stage.run([at])).rejects.toMatchObject({ code });
    await refused(step('a', 3, 1), 'POSITION_INVALID');
    const first = await logits(stage, step('a', 0, 1, 2));
    await refused(step('a', 0, 1), 'POSITION_INVALID');
    await refused(step('a', 3, 1), 'POSITION_INVALID');
    await refused(step('a', 2), 'STEP_INVALID');
    await refused(step('a', 2, config.vocabSize), 'STEP_INVALID');
    await refused(step('a', 2, -1), 'STEP_INVALID');
    await refused(step('a', 2, ...Array(MAX_STEP_ROWS + 1).fill(1)), 'STEP_INVALID');
    await refused(
      { sequence: 'a', position: 2, input: { kind: 'hidden', rows: 1, data: new Float32Array(32) } },
      'STEP_INVALID',
    );
    await refused(step('b', 0, 1), 'STEP_INVALID');
    await refused(step('a', 2, ...Array(CONTEXT - 1).fill(1)), 'CONTEXT_FULL');
    await stage.run([step('a', 2, ...Array(CONTEXT - 2).fill(1))]);
    await refused(step('a', CONTEXT, 1), 'CONTEXT_FULL');
    await stage.drop('a');
    await stage.drop('never opened');
    expect(await logits(stage, step('b', 0, 1, 2))).toEqual(first);
    await runtime.close();
  });

  test('is gone after its release', async () => {
    const runtime = runtimeFor(1);
    const stage = await runtime.load(whole, read, { maxSequences: 1 });
    const running = stage.run([step('a', 0, 1)]);
    await runtime.close();
    await expect(running).resolves.toMatchObject([{ kind: 'logits' }]);
    await expect(stage.run([step('a', 1, 1)])).rejects.toMatchObject({ code: 'STAGE_RELEASED' });
    await stage.drop('a');
  });

  test('of hidden states refuses rows of another width', async () => {
    const runtime = runtimeFor(1);
    const graph = buildStage(config, { start: 2, end: 4 }, { quant: 'f32', contextLength: CONTEXT });
    const stage = await runtime.load(graph, read, { maxSequences: 1 });
    const hidden = (rows: number, values: number): StageStep => ({
      sequence: 'a',
      position: 0,
      input: { kind: 'hidden', rows, data: new Float32Array(values) },
    });
    await expect(stage.run([hidden(2, 63)])).rejects.toMatchObject({ code: 'STEP_INVALID' });
    await expect(stage.run([hidden(2, 64)])).resolves.toMatchObject([{ kind: 'hidden', rows: 2 }]);
    await runtime.close();
  });
});

test('the speed is measured, also while a stage is at work', async () => {
  const runtime = runtimeFor(1);
  const stage = await runtime.load(whole, read, { maxSequences: 1 });
  const [{ matmulGflops }] = await Promise.all([runtime.measure(), stage.run([step('a', 0, 1)])]);
  expect(matmulGflops).toBeGreaterThan(0.01);
  await runtime.close();
});
