import type { GenerateEvent, GenerateOptions } from '../../shared/generate/generate.ts';
import type { Engine } from '../../shared/runtime/types.ts';

/** What is asked of a model, as plain data: it crosses into the browser. */
export type GenerateRequest = { engine: Engine } & Required<
  Pick<GenerateOptions, 'tokens' | 'maxNewTokens' | 'sampling' | 'stages' | 'quant' | 'withLogits'>
>;

/** Runs a request on the model in a folder of this machine. */
export type RunGenerate = (
  folder: string,
  request: GenerateRequest,
  signal: AbortSignal,
) => AsyncGenerator<GenerateEvent, void, void>;

export type PageRequest = GenerateRequest & { budgetBytes: number };

type Finished = Extract<GenerateEvent, { kind: 'finished' }>;
/** A `GenerateEvent` as JSON. */
export type PageEvent = Finished | { kind: 'token'; token: number; logits: number[] | undefined };
