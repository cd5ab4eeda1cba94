import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { folderSource } from '../../../server/model/folder-source.ts';
import { createNodeEngine } from '../../../server/runtime/node-engine.ts';
import { createNodeRuntime } from '../../../server/runtime/node-runtime.ts';
import { loadChain } from '../../generate/chain.ts';
import { loadConfig, parseConfig } from '../../model/config.ts';
import { openWeights } from '../../model/weights.ts';
import { loadWeights } from '../load.ts';
import { weightInputs } from '../store.ts';
import { forward, parameterCount, parametersOf, record } from './model.ts';

const SEQUENCE = 20;
const engine = createNodeEngine({ threads: 1 });
afterAll(() => engine.close());

test('a mixture of experts is not trained, but its parameters are known', () => {
  const sizes = { hidden_size: 8192, intermediate_size: 28_672, num_attention_heads: 64, num_key_value_heads: 8 };
  const rest = { num_hidden_layers: 104, vocab_size: 32_000, max_position_embeddings: 32_768 };
  const config = parseConfig({ model_type: 'mixtral', ...sizes, ...rest });
  // Per layer: Q and O, K and V, two norms, the router, eight experts of three matrices; embedding, head, last norm.
  const layer = 2 * 8192 ** 2 + 2 * 8192 * 1024 + 2 * 8192 + 8 * 8192 + 8 * 3 * 8192 * 28_672;
  expect(parameterCount(config)).toBe(104 * layer + 2 * 32_000 * 8192 + 8192);
  expect(() => record(config, { batch: 1, sequence: 1 }, forward)).toThrow(
    expect.objectContaining({ code: 'TRAINING_FAMILY_UNKNOWN' }),
  );
});

describe('the forward pass of training', () => {
  test.each(['gpt2-f16', 'qwen2-tied-bf16', 'qwen2-untied', 'llama3-rope'])(
    'gives the logits of inference at every position (%s)',
    async (name) => {
      const folder = fileURLToPath(new URL(`../../../tests/fixtures/${name}/`, import.meta.url));
      const source = folderSource(folder);
      const [config, weights] = [await loadConfig(source), await openWeights(source)];
      const { tokens }: { tokens: number[] } = JSON.parse(readFileSync(`${folder}expected.json`, 'utf8'));
      // Two sequences: what one holds must not reach the other.
      const ids = [...tokens.slice(0, SEQUENCE), ...tokens.slice(-SEQUENCE)];
      const { g, result } = record(config, { batch: 2, sequence: SEQUENCE }, forward);
      g.output(result, 'logits');
      const graph = await engine.load(g.encode());
      const trained = await graph.run({
        ...(await weightInputs(await loadWeights(config, weights), parametersOf(config))),
        tokens: { data: Int32Array.from(ids), shape: [2, SEQUENCE] },
      });
      const runtime = createNodeRuntime({ budgetBytes: 64 * 2 ** 20, threads: 1 });
      for (const row of [0, 1]) {
        const options = { config, weights, runtime, stages: 1, quant: 'f32', contextLength: SEQUENCE } as const;
        const chain = await loadChain(options, undefined);
        for (let position = 0; position < SEQUENCE; position++) {
          const inferred = await chain.run(position, Int32Array.of(ids[row * SEQUENCE + position]!));
          const start = (row * SEQUENCE + position) * config.vocabSize;
          const difference = Math.max(...inferred.map((logit, id) => Math.abs(logit - trained.logits![start + id]!)));
          expect(difference, `row ${row}, position ${position}`).toBeLessThan(1e-4);
        }
        await chain.release();
      }
      await runtime.close();
    },
  );
});
