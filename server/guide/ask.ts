/** Asks a model in a folder questions, one after the other, here and greedily. */
import { loadChain } from '../../shared/generate/chain.ts';
import type { Quant } from '../../shared/graph/types.ts';
import { loadConfig } from '../../shared/model/config.ts';
import { loadTextCodec } from '../../shared/model/text.ts';
import { openWeights } from '../../shared/model/weights.ts';
import { createSampler } from '../../shared/sampler/sampler.ts';
import { GREEDY } from '../../shared/sampler/types.ts';
import { folderSource } from '../model/folder-source.ts';
import { createNodeRuntime } from '../runtime/node-runtime.ts';

const BUDGET_BYTES = 2 ** 30;

export interface Asked {
  answer(question: string): Promise<string>;
  close(): Promise<void>;
}

/** Throws the errors of reading a model, CHAT_TEMPLATE_INVALID, MEMORY_BUDGET_EXCEEDED, ENGINE_FAILED. */
export async function openToAsk(folder: string, quant: Quant): Promise<Asked> {
  const source = folderSource(folder);
  const [config, codec] = [await loadConfig(source), await loadTextCodec(source)];
  const { eosTokens, maxPositions: contextLength } = config;
  const runtime = createNodeRuntime({ budgetBytes: BUDGET_BYTES, threads: 1 });
  const weights = await openWeights(source);
  const chain = await loadChain({ config, weights, runtime, stages: 1, quant, contextLength }, undefined);
  return {
    async answer(question) {
      const prompt = codec.encodeChat([{ role: 'user', content: question }]).slice(0, contextLength - 1);
      const sampler = createSampler(GREEDY, prompt);
      const answer: number[] = [];
      await chain.restart();
      let input = prompt;
      for (let position = 0; position + input.length < contextLength; ) {
        const token = sampler.next(await chain.run(position, Int32Array.from(input)));
        if (eosTokens.includes(token)) break;
        answer.push(token);
        position += input.length;
        input = [token];
      }
      return codec.decode(answer, prompt);
    },
    async close() {
      await chain.release();
      await runtime.close();
    },
  };
}
