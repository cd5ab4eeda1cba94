/** Text generation in one process: the stages of a network room one after the other, with the same steps and frames. */
import { throwIfCancelled } from '../errors/cancelled.ts';
import { AiloError } from '../errors/index.ts';
import type { Quant } from '../graph/types.ts';
import type { ModelConfig, WeightReader } from '../model/types.ts';
import { finishReason } from '../node/step.ts';
import type { Runtime } from '../runtime/types.ts';
import { createSampler } from '../sampler/sampler.ts';
import type { Sampling } from '../sampler/types.ts';
import { loadChain } from './chain.ts';

export interface GenerateOptions {
  config: ModelConfig;
  weights: WeightReader;
  runtime: Runtime;
  /** The prompt. */
  tokens: number[];
  maxNewTokens: number;
  sampling: Sampling;
  /** Into how many runs of placement units the model is split. */
  stages: number;
  quant: Quant;
  /** Milliseconds of a steady clock. */
  nowMs: () => number;
  /** Whether each token comes with the logits it was chosen from. */
  withLogits?: boolean;
}

export type GenerateEvent =
  /** `logits` is [vocabSize] float32, as the model gave them. */
  | { kind: 'token'; token: number; logits?: Float32Array }
  /** `length`: `maxNewTokens` or the model's context is reached. Speeds of a lone token are 0. */
  | { kind: 'finished'; reason: 'stop' | 'length'; prefillMs: number; decodeTokensPerSecond: number };

/**
 * Yields each token and at last `finished`. Frees the stages however it ends. Throws PROMPT_EMPTY, PROMPT_TOO_LONG,
 * PLAN_IMPOSSIBLE, SAMPLING_INVALID, MEMORY_BUDGET_EXCEEDED, CANCELLED and the errors of weights and engine.
 */
export async function* generate(
  options: GenerateOptions,
  signal?: AbortSignal,
): AsyncGenerator<GenerateEvent, void, void> {
  const { config, tokens, maxNewTokens, nowMs } = options;
  if (tokens.length === 0) throw AiloError.of('PROMPT_EMPTY', {});
  if (tokens.length >= config.maxPositions) {
    throw AiloError.of('PROMPT_TOO_LONG', { tokens: tokens.length, contextLength: config.maxPositions });
  }
  const sampler = createSampler(options.sampling, tokens);
  const contextLength = Math.min(config.maxPositions, tokens.length + maxNewTokens);
  const chain = await loadChain({ ...options, contextLength }, signal);
  try {
    const startMs = nowMs();
    let prefillMs = 0;
    let input = tokens;
    let position = 0;
    for (let index = 0; ; index++) {
      throwIfCancelled(signal);
      const logits = await chain.run(position, Int32Array.from(input));
      position += input.length;
      if (index === 0) prefillMs = nowMs() - startMs;
      const untouched = options.withLogits ? { logits: logits.slice() } : {};
      const token = sampler.next(logits);
      yield { kind: 'token', token, ...untouched };
      const bounds = { eosTokens: config.eosTokens, maxNewTokens, contextLength };
      const reason = finishReason({ token, index, position }, bounds);
      if (reason) {
        const decodeMs = nowMs() - startMs - prefillMs;
        yield {
          kind: 'finished',
          reason,
          prefillMs,
          decodeTokensPerSecond: index === 0 ? 0 : (1000 * index) / decodeMs,
        };
        return;
      }
      input = [token];
    }
  } finally {
    await chain.release();
  }
}
