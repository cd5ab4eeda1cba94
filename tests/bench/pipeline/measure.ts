import { folderSource } from '../../../server/model/folder-source.ts';
import { createNodeRuntime } from '../../../server/runtime/node-runtime.ts';
import { type Chain, loadChain } from '../../../shared/generate/chain.ts';
import type { Quant } from '../../../shared/graph/types.ts';
import { loadConfig } from '../../../shared/model/config.ts';
import { loadTextCodec } from '../../../shared/model/text.ts';
import { openWeights } from '../../../shared/model/weights.ts';
import { createSampler } from '../../../shared/sampler/sampler.ts';
import { GREEDY } from '../../../shared/sampler/types.ts';
import type { Room } from './room.ts';

/** When each token of an answer came, ms. */
export type Times = number[];

export async function askRoom(room: Room, stream: number, prompt: string, tokens: number): Promise<Times> {
  const messages = [{ role: 'user' as const, content: prompt }];
  const request = { model: room.model, messages, maxNewTokens: tokens, sampling: GREEDY };
  const times: Times = [];
  for await (const event of room.requester(stream).chat(request))
    if (event.kind === 'token') times.push(performance.now());
  return times;
}

/** The whole model in this process. */
export async function openAlone(modelDir: string, options: { quant: Quant; contextLength: number; threads: number }) {
  const source = folderSource(modelDir);
  const [config, weights, codec] = [await loadConfig(source), await openWeights(source), await loadTextCodec(source)];
  const runtime = createNodeRuntime({ budgetBytes: 2 ** 40, threads: options.threads });
  const chain: Chain = await loadChain({ config, weights, runtime, stages: 1, ...options }, undefined);
  return {
    async ask(prompt: string, tokens: number): Promise<Times> {
      const input = codec.encodeChat([{ role: 'user', content: prompt }]);
      const sampler = createSampler(GREEDY, input);
      const times: Times = [];
      let position = 0;
      for (let ids = Int32Array.from(input); times.length < tokens; ) {
        const logits = await chain.run(position, ids);
        position += ids.length;
        ids = Int32Array.of(sampler.next(logits));
        times.push(performance.now());
      }
      await chain.restart();
      return times;
    },
    close: () => runtime.close(),
  };
}

/** Tokens a second from the first token on: a prompt is not decoded. */
export function decodeSpeed(times: Times): number {
  return (1000 * (times.length - 1)) / (times.at(-1)! - times[0]!);
}

/** Tokens a second of all streams together, while all of them decode. */
export function jointSpeed(streams: Times[]): number {
  const start = Math.max(...streams.map((times) => times[0]!));
  const end = Math.min(...streams.map((times) => times.at(-1)!));
  const tokens = streams.flat().filter((time) => time > start && time <= end).length;
  return (1000 * tokens) / (end - start);
}

export function percentile(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
}

export const median = (values: number[]) => percentile(values, 0.5);
