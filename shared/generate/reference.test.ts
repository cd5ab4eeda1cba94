import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { folderSource } from '../../server/model/folder-source.ts';
import { createNodeRuntime } from '../../server/runtime/node-runtime.ts';
import { loadConfig } from '../model/config.ts';
import { openWeights } from '../model/weights.ts';
import { loadChain } from './chain.ts';

const MODELS = ['gpt2-f16', 'qwen2-tied-bf16', 'qwen2-untied', 'llama3-rope', 'mixtral'];
const PREFILLS = [1, 2, 17, 40];

/** Reference: tests/fixtures/make_reference.py, plain PyTorch in float64. */
describe.each(MODELS)('%s agrees with PyTorch', (name) => {
  const folder = fileURLToPath(new URL(`../../tests/fixtures/${name}/`, import.meta.url));
  const runtime = createNodeRuntime({ budgetBytes: 64 * 2 ** 20, threads: 1 });
  const { tokens }: { tokens: number[] } = JSON.parse(readFileSync(`${folder}expected.json`, 'utf8'));
  const expected = new Float32Array(new Uint8Array(readFileSync(`${folder}expected-logits.f32`)).buffer);
  afterAll(() => runtime.close());

  // A model of two layers has six units: five stages cut it between the half-layers, eight within the MLPs too, and 22
  // make so many parts that a mixture's experts are cut themselves.
  test.each(name === 'mixtral' ? [1, 2, 5, 8, 22] : [1, 2, 5, 8])(
    'in %i stages, after prefill and at every decode step',
    async (stages) => {
      const source = folderSource(folder);
      const config = await loadConfig(source);
      const weights = await openWeights(source);
      expect(expected).toHaveLength(tokens.length * config.vocabSize);
      const compare = (position: number, logits: Float32Array) => {
        const row = expected.subarray(position * config.vocabSize, (position + 1) * config.vocabSize);
        const difference = Math.max(...row.map((logit, id) => Math.abs(logit - logits[id]!)));
        expect(difference, `position ${position}`).toBeLessThan(1e-4);
      };
      for (const prefill of PREFILLS) {
        const contextLength = tokens.length;
        const chain = await loadChain({ config, weights, runtime, stages, quant: 'f32', contextLength }, undefined);
        compare(prefill - 1, await chain.run(0, Int32Array.from(tokens.slice(0, prefill))));
        for (let position = prefill; position < tokens.length; position++) {
          compare(position, await chain.run(position, Int32Array.of(tokens[position]!)));
        }
        await chain.release();
      }
    },
  );
});
