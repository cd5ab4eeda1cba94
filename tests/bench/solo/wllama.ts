import { LoggerWithoutDebug, Wllama } from '@wllama/wllama/esm/index.js';
import { ggufParts, promptText, tokensOf } from './gguf.ts';
import { ggufTensors } from './gguf-tensors.ts';
import { configOf, seededWeights } from './models.ts';
import type { SoloEngine, SoloLoad } from './types.ts';

/** What llama.cpp measured itself. */
interface Timings {
  prompt_n: number;
  prompt_ms: number;
  predicted_n: number;
  predicted_ms: number;
}

/** A Blob of Qwen's size is more than Chromium keeps for a page. */
async function onDisk(parts: AsyncIterable<Uint8Array<ArrayBuffer>>): Promise<File> {
  const folder = await navigator.storage.getDirectory();
  const handle = await folder.getFileHandle('model.gguf', { create: true });
  const writable = await handle.createWritable();
  for await (const part of parts) await writable.write(part);
  await writable.close();
  return handle.getFile();
}

export async function loadWllama({ model, threads, contextLength, seed }: SoloLoad): Promise<SoloEngine> {
  const config = configOf(model);
  const file = await onDisk(ggufParts(config, seededWeights(config, seed), ggufTensors(config)));
  const wllama = new Wllama({ default: new URL('wllama.wasm', location.href).href }, { logger: LoggerWithoutDebug });
  await wllama.loadModel([file], {
    ...{ n_ctx: contextLength, n_threads: threads, n_parallel: 1, n_gpu_layers: 0, warmup: true },
  });
  if (wllama.getNumThreads() !== threads) throw new Error('wllama does not use the threads it was given');
  return {
    async answer(prompt, newTokens) {
      const greedy = { temperature: 0, ignore_eos: true, cache_prompt: false };
      const request = { prompt: promptText(prompt), max_tokens: newTokens, ...greedy };
      const { choices, timings } = await wllama.createCompletion(request);
      const { prompt_n, prompt_ms, predicted_n, predicted_ms } = timings as unknown as Timings;
      if (prompt_n !== prompt.length || predicted_n !== newTokens) throw new Error('wllama ended early');
      return { tokens: tokensOf(choices[0]!.text), prefillMs: prompt_ms, decodeMs: predicted_ms };
    },
  };
}
