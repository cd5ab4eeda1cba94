import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { generateInBrowser } from '../../server/generate/in-browser.ts';
import { generateInProcess } from '../../server/generate/in-process.ts';
import type { GenerateRequest } from '../../server/generate/request.ts';
import { GREEDY } from '../../shared/sampler/types.ts';

const stories = fileURLToPath(new URL('../../../shared/models/stories260k/', import.meta.url));
const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/${name}/`, import.meta.url));
const floats = (path: string) => new Float32Array(new Uint8Array(readFileSync(path)).buffer);
/** WebGPU in software compiles its shaders for seconds: two models have all the operators of the four. */
const CASES = [
  { engine: 'wasm', models: ['gpt2-f16', 'qwen2-tied-bf16', 'qwen2-untied', 'llama3-rope'] },
  { engine: 'webgpu', models: ['gpt2-f16', 'qwen2-untied'] },
] as const;

async function run(folder: string, request: Partial<GenerateRequest>) {
  const all: GenerateRequest = {
    ...{ engine: 'node', tokens: [1], maxNewTokens: 8, sampling: GREEDY, stages: 1, quant: 'f32', withLogits: true },
    ...request,
  };
  const runner = all.engine === 'node' ? generateInProcess : generateInBrowser;
  const tokens: number[] = [];
  const logits: Float32Array[] = [];
  for await (const event of runner(folder, all, new AbortController().signal)) {
    if (event.kind !== 'token') continue;
    tokens.push(event.token);
    logits.push(event.logits!);
  }
  return { tokens, logits };
}

function largestDifference(rows: Float32Array[], expected: Float32Array): number {
  expect(rows.reduce((sum, row) => sum + row.length, 0)).toBe(expected.length);
  let at = 0;
  return Math.max(...rows.flatMap((row) => Array.from(row, (logit) => Math.abs(logit - expected[at++]!))));
}

describe.skipIf(!existsSync(stories))('stories260k in Chromium (skipped where ../shared/models is missing)', () => {
  test.each([
    ['wasm', 1],
    ['wasm', 4],
    ['webgpu', 2],
  ] as const)('%s in %i stages gives the reference logits and the tokens of Node', async (engine, stages) => {
    const node = await run(stories, { maxNewTokens: 200 });
    // WebGPU runs in software here, some 200 times slower than Node.
    const maxNewTokens = engine === 'webgpu' ? 64 : 200;
    const browser = await run(stories, { engine, stages, maxNewTokens });
    expect(browser.tokens).toEqual(node.tokens.slice(0, maxNewTokens));
    const expected = floats(`${stories}expected-logits-once-upon-a-time-64x512.f32`);
    expect(largestDifference(browser.logits.slice(0, 64), expected)).toBeLessThan(1e-3);
  });
});

describe.each(CASES)('$engine in Chromium', ({ engine, models }) => {
  test.each(models)('%s agrees with PyTorch', async (name) => {
    const folder = fixture(name);
    const { tokens }: { tokens: number[] } = JSON.parse(readFileSync(`${folder}expected.json`, 'utf8'));
    const prompt = tokens.slice(0, 17);
    const { logits } = await run(folder, { engine, tokens: prompt, maxNewTokens: 4 });
    const expected = floats(`${folder}expected-logits.f32`).subarray(16 * 64, 17 * 64);
    expect(largestDifference(logits.slice(0, 1), expected)).toBeLessThan(1e-4);
    const node = await run(folder, { tokens: prompt, maxNewTokens: 4 });
    for (const [index, row] of logits.entries())
      expect(largestDifference([row], node.logits[index]!)).toBeLessThan(1e-4);
  });

  test.each(['int8', 'int4'] as const)('%s gives what it gives in Node', async (quant) => {
    const request = { tokens: [5, 9, 12], maxNewTokens: 4, quant };
    const [node, browser] = [
      await run(fixture('qwen2-untied'), request),
      await run(fixture('qwen2-untied'), { ...request, engine }),
    ];
    expect(browser.tokens).toEqual(node.tokens);
    for (const [index, row] of browser.logits.entries()) {
      expect(largestDifference([row], node.logits[index]!)).toBeLessThan(1e-3);
    }
  });
});

test('int8 on WASM has the same bits in any number of stages, and the tokens of f32', async () => {
  const request = { tokens: [5, 9, 12], maxNewTokens: 4 };
  const int8 = { ...request, engine: 'wasm', quant: 'int8' } as const;
  const f32 = await run(fixture('qwen2-untied'), request);
  const one = await run(fixture('qwen2-untied'), int8);
  expect(await run(fixture('qwen2-untied'), { ...int8, stages: 3 })).toEqual(one);
  expect(one.tokens).toEqual(f32.tokens);
});

test('an error in the browser comes out as it would here', async () => {
  await expect(run(fixture('qwen2-untied'), { engine: 'wasm', tokens: Array(64).fill(1) })).rejects.toMatchObject({
    code: 'PROMPT_TOO_LONG',
  });
});

test('stopping ends the browser', async () => {
  const stop = new AbortController();
  const request: GenerateRequest = {
    ...{ engine: 'wasm', tokens: [1], maxNewTokens: 60, sampling: GREEDY, stages: 1, quant: 'f32', withLogits: false },
  };
  const events = generateInBrowser(fixture('qwen2-untied'), request, stop.signal);
  await events.next();
  stop.abort();
  await expect(
    (async () => {
      for await (const _ of events);
    })(),
  ).rejects.toMatchObject({ code: 'CANCELLED' });
});
