/** Stages that compute something a test can foresee, in place of an engine. */
import { AiloError } from '../errors/index.ts';
import { memoryChunkStore } from '../model/verified.ts';
import type { LoadedStage, StageInput, StageOutput, StageStep } from '../runtime/types.ts';
import { type Contributor, type ContributorOptions, createContributor } from './contributor.ts';
import type { StageShape } from './step.ts';

export const VOCABULARY = 50;
const LANES = 3;

/** For batchers whose time stands still. */
export const TIMING = { afterArrivals: async () => {}, now: () => 0, schedule: () => () => {} };

/** A stage that computes the steps of a run one after the other. */
function stageOf(runOne: (step: StageStep) => StageOutput, rest: Pick<LoadedStage, 'drop' | 'release'>): LoadedStage {
  return {
    lanes: LANES,
    async run(steps) {
      const outputs = steps.map(runOne);
      await Promise.resolve();
      return outputs;
    },
    ...rest,
  };
}

/**
 * The next token of the model that these stages make up: the sum of all tokens so far. Each stage keeps its caches as
 * strictly as a real one; hidden rows are [token, token].
 */
export function sumStage(takes: 'tokens' | 'hidden', gives: 'hidden' | 'logits') {
  const caches = new Map<string, number[]>();
  const shape: StageShape = { takes, gives, inWidth: 2, outWidth: 2, vocabSize: VOCABULARY };
  const log: string[] = [];
  let released = false;
  const stage = stageOf(
    ({ sequence, position, input }) => {
      if (released) throw AiloError.of('STAGE_RELEASED', {});
      const cache = caches.get(sequence) ?? [];
      caches.set(sequence, cache);
      if (position > cache.length) throw AiloError.of('POSITION_INVALID', { position, expected: cache.length });
      const tokens = tokensOf(input);
      cache.splice(position, cache.length, ...tokens);
      log.push(`${position}+${tokens.length}`);
      if (gives === 'hidden') {
        return { kind: 'hidden', rows: tokens.length, data: Float32Array.from(tokens.flatMap((id) => [id, id])) };
      }
      const data = new Float32Array(VOCABULARY);
      data[cache.reduce((sum, id) => sum + id, 0) % VOCABULARY] = 1;
      return { kind: 'logits', rows: 1, data };
    },
    {
      async drop(sequence) {
        caches.delete(sequence);
        log.push('drop');
      },
      async release() {
        released = true;
        log.push('release');
      },
    },
  );
  return { stage, shape, caches, log };
}

function tokensOf(input: StageInput): number[] {
  if (input.kind === 'tokens') return [...input.ids];
  return [...input.data].filter((_, i) => i % 2 === 0);
}

/** What the model of `sumStage`s answers. */
export function sumAnswer(prompt: number[], count: number): number[] {
  const tokens = [...prompt];
  for (let i = 0; i < count; i++) tokens.push(tokens.reduce((sum, id) => sum + id, 0) % VOCABULARY);
  return tokens.slice(prompt.length);
}

/**
 * Units `start` to `end` of a made-up model of `units` units. Each value depends on everything before it and on the
 * order of it, so that a row too many, too few or from elsewhere changes all that follows; how many rows go together
 * changes nothing. Hidden rows are [value, value].
 */
export function mixStage(start: number, end: number, units: number): { stage: LoadedStage; shape: StageShape } {
  /** The values after each row, those before the first included. */
  const caches = new Map<string, number[][]>();
  const isLast = end === units;
  const shape: StageShape = {
    takes: start === 0 ? 'tokens' : 'hidden',
    gives: isLast ? 'logits' : 'hidden',
    inWidth: 2,
    outWidth: 2,
    vocabSize: VOCABULARY,
  };
  const stage = stageOf(
    ({ sequence, position, input }) => {
      const cache = caches.get(sequence) ?? [Array<number>(end - start).fill(1)];
      caches.set(sequence, cache);
      if (position >= cache.length) throw AiloError.of('POSITION_INVALID', { position, expected: cache.length - 1 });
      cache.length = position + 1;
      const outputs = tokensOf(input).map((value) => {
        let passed = value;
        const values = cache.at(-1)!.map((before, i) => {
          const after = mix(before, passed, start + i);
          // 11 bits, which float16 holds exactly.
          passed = after >>> 21;
          return after;
        });
        cache.push(values);
        return passed;
      });
      if (!isLast) {
        const data = Float32Array.from(outputs.flatMap((value) => [value, value]));
        return { kind: 'hidden', rows: outputs.length, data };
      }
      const data = Float32Array.from(
        { length: VOCABULARY },
        (_, id) => mix(cache.at(-1)!.at(-1)!, id, units) / 2 ** 30,
      );
      return { kind: 'logits', rows: 1, data };
    },
    {
      async drop(sequence) {
        caches.delete(sequence);
      },
      async release() {
        caches.clear();
      },
    },
  );
  return { stage, shape };
}

function mix(a: number, b: number, c: number): number {
  const product = Math.imul(Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ b, 0xc2b2ae35) ^ Math.imul(c + 1, 0x27d4eb2f);
  return (product ^ (product >>> 15)) >>> 0;
}

/**
 * A contributor to a room of `mixStage`s, for `units` of them. `spoil`: what its stages give in place of an output;
 * `mayRun`: what each of their runs waits for.
 */
export function mixContributor(
  units: number,
  {
    spoil = (output) => output,
    mayRun = async () => {},
    ...options
  }: Pick<ContributorOptions, 'address' | 'send' | 'now' | 'schedule' | 'direct'> & {
    spoil?: (output: StageOutput) => StageOutput;
    mayRun?: () => Promise<void>;
  },
): Contributor {
  return createContributor({
    ...options,
    createRuntime: async () => ({
      engine: 'node',
      budgetBytes: units,
      load: () => Promise.reject(new Error('the test loads otherwise')),
      measure: async () => ({ matmulGflops: 1 }),
      close: async () => {},
    }),
    chunks: memoryChunkStore(),
    async loadStage({ start, end }) {
      const { stage, shape } = mixStage(start, end, units);
      const run: LoadedStage['run'] = async (steps) => {
        await mayRun();
        return (await stage.run(steps)).map(spoil);
      };
      return { stage: { ...stage, run }, shape, eosTokens: [], memoryBytes: 1 };
    },
    isOpen: () => true,
    log: { debug() {}, info() {}, warn() {} },
    onChange() {},
    onError() {},
  });
}
