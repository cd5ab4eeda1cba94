import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { folderSource } from '../../server/model/folder-source.ts';
import { createNodeRuntime } from '../../server/runtime/node-runtime.ts';
import { loadConfig } from '../model/config.ts';
import type { ModelConfig, WeightReader } from '../model/types.ts';
import { openWeights } from '../model/weights.ts';
import { GREEDY } from '../sampler/types.ts';
import { type GenerateEvent, type GenerateOptions, generate } from './generate.ts';

const folder = fileURLToPath(new URL('../../../shared/models/stories260k/', import.meta.url));
const BOS = 1;

/** Outside reference: llama2.c's own run of the model (see the README of the folder). */
describe.skipIf(!existsSync(folder))('stories260k (skipped where ../shared/models is missing)', () => {
  const runtime = createNodeRuntime({ budgetBytes: 256 * 2 ** 20, threads: 1 });
  let config: ModelConfig;
  let weights: WeightReader;

  beforeAll(async () => {
    const source = folderSource(folder);
    config = await loadConfig(source);
    weights = await openWeights(source);
  });
  afterAll(() => runtime.close());

  const collect = async (options: Partial<GenerateOptions>, signal?: AbortSignal) => {
    const events: GenerateEvent[] = [];
    const all: GenerateOptions = {
      ...{ config, weights, runtime, tokens: [BOS], maxNewTokens: 64, sampling: GREEDY, stages: 1, quant: 'f32' },
      nowMs: () => performance.now(),
      ...options,
    };
    for await (const event of generate(all, signal)) events.push(event);
    const tokens = events.flatMap((event) => (event.kind === 'token' ? event.token : []));
    const logits = events.flatMap((event) => (event.kind === 'token' && event.logits ? event.logits : []));
    return { tokens, logits, last: events.at(-1) };
  };

  // Twelve are all its half-layers; thirty cut within each MLP.
  test.each([1, 2, 4, 5, 12, 30])(
    'the logits of 64 positions are those of the reference, in %i stages',
    async (stages) => {
      const expected = new Float32Array(
        new Uint8Array(readFileSync(`${folder}expected-logits-once-upon-a-time-64x512.f32`)).buffer,
      );
      const steps: { in: number; argmax: number }[] = JSON.parse(
        readFileSync(`${folder}expected-argmax-once-upon-a-time.json`, 'utf8'),
      );
      const { tokens, logits } = await collect({ stages, withLogits: true });
      expect(logits).toHaveLength(64);
      expect(tokens).toEqual(steps.map(({ argmax }) => argmax));
      for (const [position, row] of logits.entries()) {
        const difference = Math.max(...row.map((logit, id) => Math.abs(logit - expected[512 * position + id]!)));
        expect(difference, `position ${position}`).toBeLessThan(1e-3);
      }
    },
  );

  test('a prompt longer than a step is computed in pieces with the same result', async () => {
    const whole = await collect({ maxNewTokens: 200 });
    const prompt = [BOS, ...whole.tokens.slice(0, 150)];
    const continued = await collect({ tokens: prompt, maxNewTokens: 50, stages: 2 });
    expect(continued.tokens).toEqual(whole.tokens.slice(150));
  });

  test('int8 and int4 stay close to the reference', async () => {
    const f32 = (await collect({ maxNewTokens: 12 })).tokens;
    for (const quant of ['int8', 'int4'] as const) {
      expect((await collect({ maxNewTokens: 12, quant, stages: 3 })).tokens.slice(0, 6)).toEqual(f32.slice(0, 6));
    }
  });

  test('a full context ends the text', async () => {
    const tokens = Array.from({ length: 509 }, () => 403);
    const { tokens: made, last } = await collect({ tokens, maxNewTokens: 100 });
    expect(made).toHaveLength(4); // the token after position 511 needs no place of its own
    expect(last).toMatchObject({ kind: 'finished', reason: 'length' });
  });

  test('a prompt that leaves no room, or none at all, is refused', async () => {
    await expect(collect({ tokens: Array.from({ length: 512 }, () => BOS) })).rejects.toMatchObject({
      code: 'PROMPT_TOO_LONG',
    });
    await expect(collect({ tokens: [] })).rejects.toMatchObject({ code: 'PROMPT_EMPTY' });
  });

  test('more stages than there are units is refused, also where MLPs are divided as far as they can be', async () => {
    await expect(collect({ stages: 5 * (1 + 6) + 3 })).rejects.toMatchObject({ code: 'PLAN_IMPOSSIBLE' });
  });

  test('however a text ends, its memory is free again', async () => {
    const tight = createNodeRuntime({ budgetBytes: 8 * 2 ** 20, threads: 1 });
    const cancel = new AbortController();
    const options = { config, weights, runtime: tight, tokens: [BOS], maxNewTokens: 9, sampling: GREEDY, stages: 2 };
    const run = generate({ ...options, quant: 'f32', nowMs: () => performance.now() }, cancel.signal);
    await run.next();
    cancel.abort();
    await expect(run.next()).rejects.toMatchObject({ code: 'CANCELLED' });
    for (let round = 0; round < 4; round++) await collect({ runtime: tight, maxNewTokens: 2 });
    await tight.close();
  });
});
