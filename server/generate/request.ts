import type { GenerateEvent, GenerateOptions } from '../../shared/generate/generate.ts';
import type { ScoreEvent, ScoreOptions } from '../../shared/generate/score.ts';
import type { Engine } from '../../shared/runtime/types.ts';

/** What is asked of a model, as plain data: it crosses into the browser. */
interface Common {
  engine: Engine;
  /** The folder of an adapter that is merged into the model. */
  adapter?: string | undefined;
}
export type GenerateRequest = Common &
  Required<Pick<GenerateOptions, 'tokens' | 'maxNewTokens' | 'sampling' | 'stages' | 'quant' | 'withLogits'>>;
export type ScoreRequest = Common & Pick<ScoreOptions, 'texts' | 'stages' | 'quant'>;

/** Runs a request on the model in a folder of this machine. */
export type Run<Request, Event> = (
  folder: string,
  request: Request,
  signal: AbortSignal,
) => AsyncGenerator<Event, void, void>;
export type RunGenerate = Run<GenerateRequest, GenerateEvent>;
export type RunScore = Run<ScoreRequest, ScoreEvent>;

export type PageRequest = { budgetBytes: number } & (
  | ({ task: 'generate' } & GenerateRequest)
  | ({ task: 'score' } & ScoreRequest)
);

type Finished = Extract<GenerateEvent, { kind: 'finished' }>;
/** A `GenerateEvent` or `ScoreEvent` as JSON. */
export type PageEvent = Finished | ScoreEvent | { kind: 'token'; token: number; logits: number[] | undefined };
