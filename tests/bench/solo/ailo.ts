/** Ailo as the extension has it: its compute worker, one stage in int8. */
import { createWorkerRuntime } from '../../../extension/compute/client.ts';
import { MAX_STEP_ROWS } from '../../../shared/graph/limits.ts';
import { materialise } from '../../../shared/graph/materialise.ts';
import { buildStage } from '../../../shared/graph/stage.ts';
import { units } from '../../../shared/graph/units.ts';
import { createSampler } from '../../../shared/sampler/sampler.ts';
import { GREEDY } from '../../../shared/sampler/types.ts';
import { configOf, seededWeights } from './models.ts';
import type { SoloEngine, SoloLoad } from './types.ts';

const BUDGET_BYTES = 4 * 2 ** 30;

export async function loadAilo({ model, threads, contextLength, seed }: SoloLoad): Promise<SoloEngine> {
  const config = configOf(model);
  const weights = seededWeights(config, seed);
  const runtime = await createWorkerRuntime({ engine: 'wasm', budgetBytes: BUDGET_BYTES, threads });
  const graph = buildStage(config, { start: 0, end: units(config).length }, { quant: 'int8', contextLength });
  const stage = await runtime.load(graph, (weight) => materialise(weight, weights, config), { maxSequences: 1 });

  const step = async (position: number, tokens: number[]) => {
    const input = { kind: 'tokens' as const, ids: Int32Array.from(tokens) };
    const [output] = await stage.run([{ sequence: 'text', position, input }]);
    return output!.data;
  };
  return {
    async answer(prompt, newTokens) {
      const sampler = createSampler(GREEDY, prompt);
      const began = performance.now();
      let logits: Float32Array = new Float32Array();
      for (let at = 0; at < prompt.length; at += MAX_STEP_ROWS) {
        logits = await step(at, prompt.slice(at, at + MAX_STEP_ROWS));
      }
      const tokens = [sampler.next(logits)];
      const prefilled = performance.now();
      while (tokens.length < newTokens) {
        logits = await step(prompt.length + tokens.length - 1, tokens.slice(-1));
        tokens.push(sampler.next(logits));
      }
      const decodeMs = performance.now() - prefilled;
      await stage.drop('text');
      return { tokens, prefillMs: prefilled - began, decodeMs };
    },
  };
}
