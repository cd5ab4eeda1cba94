import { fileURLToPath } from 'node:url';
import * as webOrt from 'onnxruntime-web';
import { afterAll, describe, expect, test } from 'vitest';
import { folderSource } from '../../server/model/folder-source.ts';
import { createNodeRuntime } from '../../server/runtime/node-runtime.ts';
import { materialise } from '../graph/materialise.ts';
import { buildStage } from '../graph/stage.ts';
import type { WeightSpec } from '../graph/types.ts';
import { units } from '../graph/units.ts';
import { loadConfig } from '../model/config.ts';
import { openWeights } from '../model/weights.ts';
import { copiedKvCache } from './kv-cache.ts';
import type { Ort } from './ort.ts';
import { createOrtRuntime } from './ort-runtime.ts';
import type { Runtime, StageStep } from './types.ts';

const CONTEXT = 32;
const LANES = 4;
const budgetBytes = 256 * 2 ** 20;

/** onnxruntime-web's WASM as browsers have it, but on this thread. */
function createWasmRuntime(): Runtime {
  webOrt.env.wasm.numThreads = 1;
  // The package has its own copy of the types, which differ only in private members.
  const ort = webOrt as unknown as Ort;
  return createOrtRuntime({
    ort,
    engine: 'wasm',
    budgetBytes,
    session: { executionProviders: ['wasm'], logSeverityLevel: 3 },
    createKvCache: (graph) => copiedKvCache(ort, graph),
    nowMs: () => performance.now(),
  });
}

const runtimes = { node: createNodeRuntime({ budgetBytes, threads: 1 }), wasm: createWasmRuntime() };
afterAll(() => Promise.all(Object.values(runtimes).map((runtime) => runtime.close())));

async function open({ engine, name, quant }: Case) {
  const source = folderSource(fileURLToPath(new URL(`../../tests/fixtures/${name}/`, import.meta.url)));
  const config = await loadConfig(source);
  const weights = await openWeights(source);
  const whole = { start: 0, end: units(config).length };
  const graph = buildStage(config, whole, { quant, contextLength: CONTEXT, lanes: LANES });
  const read = (weight: WeightSpec) => materialise(weight, weights, config);
  const stage = await runtimes[engine].load(graph, read, { maxSequences: 5 });
  const step = (sequence: string, position: number, rows: number, logits?: number): StageStep => ({
    sequence,
    position,
    input: {
      kind: 'tokens',
      ids: Int32Array.from({ length: rows }, (_, row) => (7 * position + 3 * row + sequence.charCodeAt(0)) % 50),
    },
    ...(logits !== undefined && { logits }),
  });
  const run = async (...steps: StageStep[]) => (await stage.run(steps)).map(({ data }) => [...data]);
  return { stage, config, step, run };
}

interface Case {
  engine: 'node' | 'wasm';
  name: string;
  quant: 'f32' | 'int8';
}

const cases = (['node', 'wasm'] as const).flatMap((engine) =>
  ['qwen2-untied', 'qwen2-tied-bf16', 'llama3-rope', 'gpt2-f16', 'mixtral'].flatMap((name) =>
    (['f32', 'int8'] as const).map((quant): Case => ({ engine, name, quant })),
  ),
);

describe.each(cases)('what comes of a step of $name in $quant ($engine)', async (each) => {
  const { stage, config, step, run } = await open(each);
  afterAll(() => stage.release());

  test('is the same to the bit, whatever runs with it', async () => {
    const steps = {
      a: [step('a', 0, 3), step('a', 3, 1), step('a', 4, 1), step('a', 5, 9)],
      b: [step('b', 0, 17), step('b', 17, 1), step('b', 18, 1), step('b', 19, 1)],
      c: [step('c', 0, 1), step('c', 1, 1), step('c', 2, 5), step('c', 7, 1)],
      d: [step('d', 0, 2), step('d', 2, 1), step('d', 3, 2), step('d', 5, 1)],
    };
    const alone: Record<string, number[][]> = {};
    for (const [name, own] of Object.entries(steps)) {
      alone[name] = [];
      for (const each of own) alone[name].push(...(await run(each)));
      await stage.drop(name);
    }
    const { a, b, c, d } = steps;
    const [b0] = await run(b[0]!);
    const [c0, a0] = await run(c[0]!, a[0]!);
    const [d0, b1, a1, c1] = await run(d[0]!, b[1]!, a[1]!, c[1]!);
    const [a2, b2, c2, d1] = await run(a[2]!, b[2]!, c[2]!, d[1]!);
    const [c3, d2, b3] = await run(c[3]!, d[2]!, b[3]!);
    const [d3, a3] = await run(d[3]!, a[3]!);
    expect({ a: [a0, a1, a2, a3], b: [b0, b1, b2, b3], c: [c0, c1, c2, c3], d: [d0, d1, d2, d3] }).toEqual(alone);
    for (const name of 'abcd') await stage.drop(name);
  });

  test('does not depend on how a prompt is cut, but for pieces of one row', async () => {
    const [whole] = await run(step('a', 0, 20, 2));
    await stage.drop('a');
    const ids = (step('a', 0, 20).input as { ids: Int32Array }).ids;
    const piece = (start: number, end: number, logits: number): StageStep => ({
      ...{ sequence: 'a', position: start, logits },
      input: { kind: 'tokens', ids: ids.subarray(start, end) },
    });
    for (const [start, end] of [
      [0, 2],
      [2, 11],
      [11, 18],
    ] as const)
      expect(await run(piece(start, end, 0))).toEqual([[]]);
    expect(await run(piece(18, 20, 2))).toEqual([whole]);
    await stage.drop('a');
  });

  test('has the logits of the rows that it asks for', async () => {
    const [three, none, one] = await stage.run([step('a', 0, 5, 3), step('b', 0, 4, 0), step('c', 0, 2)]);
    expect([three!.rows, none!.rows, one!.rows]).toEqual([3, 0, 1]);
    expect(three!.data).toHaveLength(3 * config.vocabSize);
    expect(one!.data).toHaveLength(config.vocabSize);
    const refused = (...steps: StageStep[]) => expect(stage.run(steps)).rejects.toMatchObject({ code: 'STEP_INVALID' });
    await refused(step('a', 5, 1, 2));
    await refused(step('a', 5, 1, -1));
    await refused(step('a', 5, 1), step('a', 6, 1));
    await refused(...'abcde'.split('').map((name) => step(name, 5, 1)));
    await refused(step('a', 5, 64), step('d', 0, 65));
    await refused();
    for (const name of 'abc') await stage.drop(name);
  });
});
