import { AiloError } from '../errors/index.ts';
import type { StageGraph } from '../graph/types.ts';
import type { Mutex } from './mutex.ts';
import { engineFailed } from './ort.ts';
import { checkStep, rowsOf } from './step.ts';
import type { LoadedStage, StageInput, StageOutput, StageStep } from './types.ts';

/** What computes a stage; `Cache` is what it keeps of one sequence. It is only asked one thing at a time. */
export interface StageBody<Cache> {
  openCache(): Promise<Cache> | Cache;
  closeCache(cache: Cache): void;
  /** Rows at `position` and on. What it throws becomes ENGINE_FAILED. */
  compute(input: StageInput, position: number, cache: Cache): Promise<StageOutput>;
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
  readonly #parts: StageParts<Cache>;
  readonly #sequences = new Map<string, Sequence<Cache>>();
  #released = false;

  constructor(parts: StageParts<Cache>) {
    this.#parts = parts;
  }

  run(step: StageStep): Promise<StageOutput> {
    return this.#parts.mutex.run(() => this.#run(step));
  }

  drop(name: string): Promise<void> {
    return this.#parts.mutex.run(async () => this.#forget(name));
  }

  release(): Promise<void> {
    return this.#parts.mutex.run(async () => {
      if (this.#released) return;
      this.#released = true;
      for (const name of this.#sequences.keys()) this.#forget(name);
      await this.#parts.body.release();
      this.#parts.onReleased();
    });
  }

  #forget(name: string): void {
    const sequence = this.#sequences.get(name);
    if (sequence) this.#parts.body.closeCache(sequence.cache);
    this.#sequences.delete(name);
  }

  async #run({ sequence: name, position, input }: StageStep): Promise<StageOutput> {
    if (this.#released) throw AiloError.of('STAGE_RELEASED', {});
    const { graph, body } = this.#parts;
    checkStep(graph, { position, input }, this.#sequences.get(name)?.length ?? 0);
    const sequence = await this.#open(name);
    try {
      const output = await body.compute(input, position, sequence.cache);
      sequence.length += rowsOf(input);
      return output;
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
    const sequence = { length: 0, cache: await body.openCache() };
    this.#sequences.set(name, sequence);
    return sequence;
  }
}
