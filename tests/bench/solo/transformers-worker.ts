/** Runs in a worker: Transformers.js with a graph of ours and the weights as external data. */
import { AutoModelForCausalLM, BaseStreamer, env, Tensor } from '@huggingface/transformers';
import { materialise } from '../../../shared/graph/materialise.ts';
import { configOf, seededWeights } from './models.ts';
import { peerGraph } from './peer-graph.ts';
import type { SoloAnswer, SoloLoad } from './types.ts';

export type TransformersCall = { load: SoloLoad } | { prompt: number[]; newTokens: number };
export type TransformersReply = { answer?: SoloAnswer; failure?: string };

let model: Awaited<ReturnType<typeof AutoModelForCausalLM.from_pretrained>>;

async function load({ model: name, threads, contextLength, seed }: SoloLoad): Promise<void> {
  const here = (file: string) => new URL(file, self.location.href).href;
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.localModelPath = here('models/');
  env.useBrowserCache = false;
  env.useWasmCache = false;
  const { wasm } = env.backends.onnx;
  // The build without asyncify: by default Transformers.js takes the other one, whose int8 kernels are far slower.
  Object.assign(wasm!, {
    numThreads: threads,
    wasmPaths: { mjs: here('ort-wasm-simd-threaded.mjs'), wasm: here('ort-wasm-simd-threaded.wasm') },
  });
  const config = configOf(name);
  const weights = seededWeights(config, seed);
  const externalData: { path: string; data: Uint8Array }[] = [];
  for (const weight of peerGraph(config, contextLength).weights) {
    externalData.push({ path: weight.name, data: await materialise(weight, weights, config) });
  }
  const options = { device: 'wasm', dtype: 'q8', session_options: { externalData } } as const;
  model = await AutoModelForCausalLM.from_pretrained(name, options);
}

/** Takes the time of every token. */
class Clock extends BaseStreamer {
  readonly timesMs: number[] = [];
  override put(): void {
    this.timesMs.push(performance.now());
  }
  override end(): void {}
}

async function answer(prompt: number[], newTokens: number): Promise<SoloAnswer> {
  const input_ids = new Tensor('int64', BigInt64Array.from(prompt, BigInt), [1, prompt.length]);
  const attention_mask = new Tensor('int64', new BigInt64Array(prompt.length).fill(1n), [1, prompt.length]);
  const streamer = new Clock();
  const began = performance.now();
  const output = await model.generate({
    ...{ input_ids, attention_mask },
    ...{ max_new_tokens: newTokens, do_sample: false, streamer },
  } as never);
  // The streamer is given the prompt first.
  const [first, last] = [streamer.timesMs[1]!, streamer.timesMs.at(-1)!];
  const tokens = Array.from((output as Tensor).data as BigInt64Array, Number).slice(prompt.length);
  return { tokens, prefillMs: first - began, decodeMs: last - first };
}

self.addEventListener('message', async ({ data }: MessageEvent<TransformersCall>) => {
  try {
    if ('load' in data) {
      await load(data.load);
      self.postMessage({} satisfies TransformersReply);
    } else {
      self.postMessage({ answer: await answer(data.prompt, data.newTokens) } satisfies TransformersReply);
    }
  } catch (thrown) {
    self.postMessage({ failure: String(thrown) } satisfies TransformersReply);
  }
});
