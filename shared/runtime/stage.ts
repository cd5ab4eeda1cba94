import { AiloError } from '../errors/index.ts';
import type { StageGraph } from '../graph/types.ts';
import type { Mutex } from './mutex.ts';
import { engineFailed } from './ort.ts';
import { checkStep, checkTogether, rowsOf } from './step.ts';
import type { LoadedStage, StageOutput, StageStep } from './types.ts';

/** What computes a stage; `Cache` is what it keeps of one sequence. It is only asked one thing at a time. */
export interface StageBody<Cache> {
  /** What lies behind a sequence's length is never read: caches of sequences that are over go to the next. */
  openCache(): Promise<Cache> | Cache;
  closeCache(cache: Cache): void;
  /** Steps that may be one run, each with the cache of its sequence. What it throws becomes ENGINE_FAILED. */
  compute(steps: readonly StageStep[], caches: readonly Cache[]): Promise<StageOutput[]>;
  release(): Promise<void>;
}

interface Sequence<Cache> {
  /** Rows in the cache. */
  length: number;
  cache: Cache;
}

interface StageParts<Cache> {
  graph: StageGraph;
  body: StageBody<Cache>;
  maxSequences: number;
  /** Guards the body, the sequences and `#released`: every method runs within it. */
  mutex: Mutex;
  /** Called once, when the memory is free again. */
  onReleased: () => void;
}

/** A stage with its sequences, whatever computes it. */
export class SequencedStage<Cache> implements LoadedStage {
  readonly lanes: number;
  readonly #parts: StageParts<Cache>;
  readonly #sequences = new Map<string, Sequence<Cache>>();
  /** Caches of sequences that are over, for the next. */
  readonly #spare: Cache[] = [];
  #released = false;

  constructor(parts: StageParts<Cache>) {
    this.#parts = parts;
    this.lanes = parts.graph.lanes;
  }

  run(steps: readonly StageStep[]): Promise<StageOutput[]> {
    return this.#parts.mutex.run(() => this.#run(steps));
  }

  drop(name: string): Promise<void> {
    return this.#parts.mutex.run(async () => this.#forget(name));
  }

  release(): Promise<void> {
    return this.#parts.mutex.run(async () => {
      if (this.#released) return;
      this.#released = true;
      for (const name of this.#sequences.keys()) this.#forget(name);
      for (const cache of this.#spare) this.#parts.body.closeCache(cache);
      await this.#parts.body.release();
      this.#parts.onReleased();
    });
  }

  #forget(name: string): void {
    const sequence = this.#sequences.get(name);
    if (sequence) this.#spare.push(sequence.cache);
    this.#sequences.delete(name);
  }

  async #run(steps: readonly StageStep[]): Promise<StageOutput[]> {
    if (this.#released) throw AiloError.of('STAGE_RELEASED', {});
    const { graph, body } = this.#parts;
    checkTogether(graph, steps);
    for (const step of steps) checkStep(graph, step, this.#sequences.get(step.sequence)?.length ?? 0);
    const sequences: Sequence<Cache>[] = [];
    for (const { sequence } of steps) sequences.push(await this.#open(sequence));
    try {
      const outputs = await body.compute(
        steps,
        sequences.map(({ cache }) => cache),
      );
      for (const [index, { position, input }] of steps.entries()) sequences[index]!.length = position + rowsOf(input);
      return outputs;
    } catch (error) {
      // Rows that a failed step may have written lie behind `length`; the next step overwrites them.
      throw engineFailed(error);
    }
  }

  async #open(name: string): Promise<Sequence<Cache>> {
    const known = this.#sequences.get(name);
    if (known) return known;
    const { maxSequences, body } = this.#parts;
    if (this.#sequences.size >= maxSequences) {
      throw AiloError.of('STEP_INVALID', { reason: `this stage holds ${maxSequences} texts at once and no more` });
    }
    const sequence = { length: 0, cache: this.#spare.pop() ?? (await body.openCache()) };
    this.#sequences.set(name, sequence);
    return sequence;
  }
}
