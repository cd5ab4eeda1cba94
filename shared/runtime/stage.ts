import type { Tensor } from 'onnxruntime-common';
import { AiloError } from '../errors/index.ts';
import type { StageGraph } from '../graph/types.ts';
import { stepFeeds } from './feeds.ts';
import { type CreateKvCache, idleFeeds, type KvCache } from './kv-cache.ts';
import type { Mutex } from './mutex.ts';
import { engineFailed, type Ort, type OrtSession } from './ort.ts';
import { checkStep, checkTogether, logitsOf, rowsOf } from './step.ts';
import type { LoadedStage, StageOutput, StageStep } from './types.ts';

interface Sequence {
  /** Rows in the cache. */
  length: number;
  cache: KvCache;
}

interface StageParts {
  ort: Ort;
  session: OrtSession;
  graph: StageGraph;
  maxSequences: number;
  createKvCache: CreateKvCache;
  /** Whether the engine is given the memory for what comes out; otherwise it brings its own. */
  givesOutputs: boolean;
  /** Guards the session, the sequences and `#released`: every method runs within it. */
  mutex: Mutex;
  /** Called once, when the memory is free again. */
  onReleased: () => void;
}

/** A stage in an onnxruntime session. */
export class OrtStage implements LoadedStage {
  readonly lanes: number;
  readonly #parts: StageParts;
  readonly #sequences = new Map<string, Sequence>();
  /** What lanes without a step are fed, by lane. */
  readonly #idle: Record<string, Tensor>[];
  /** Caches of sequences that are over, for the next: what lies behind a sequence's length is never read. */
  readonly #spare: KvCache[] = [];
  #released = false;
  #logits = new Float32Array(0);

  constructor(parts: StageParts) {
    this.#parts = parts;
    this.lanes = parts.graph.lanes;
    this.#idle = idleFeeds(parts.ort, parts.graph);
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
      for (const cache of this.#spare) cache.free();
      await this.#parts.session.release();
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
    const { ort, graph, session } = this.#parts;
    checkTogether(graph, steps);
    for (const step of steps) checkStep(graph, step, this.#sequences.get(step.sequence)?.length ?? 0);
    const sequences: Sequence[] = [];
    for (const { sequence } of steps) sequences.push(await this.#open(sequence));
    const port = graph.gives === 'logits' ? 'logits' : 'hidden_out';
    const feeds = stepFeeds(ort, session, graph, steps);
    const fetches: Record<string, Tensor | null> = { [port]: this.#output(steps) };
    for (let lane = 0; lane < graph.lanes; lane++) {
      const cache = sequences[lane]?.cache;
      Object.assign(feeds, cache ? cache.feeds(lane) : this.#idle[lane]);
      if (cache) Object.assign(fetches, cache.fetches(lane));
    }
    try {
      const outputs = await session.run(feeds, fetches);
      for (const [lane, sequence] of sequences.entries()) {
        sequence.cache.advance(outputs, lane);
        sequence.length += rowsOf(steps[lane]!.input);
      }
      return divided(graph, steps, outputs[port]!.data as Float32Array);
    } catch (error) {
      // Rows that a failed step may have written lie behind `length`; the next step overwrites them.
      throw engineFailed(error);
    }
  }

  async #open(name: string): Promise<Sequence> {
    const known = this.#sequences.get(name);
    if (known) return known;
    const { graph, maxSequences, createKvCache } = this.#parts;
    if (this.#sequences.size >= maxSequences) {
      throw AiloError.of('STEP_INVALID', { reason: `this stage holds ${maxSequences} texts at once and no more` });
    }
    const sequence = { length: 0, cache: this.#spare.pop() ?? (await createKvCache(graph)) };
    this.#sequences.set(name, sequence);
    return sequence;
  }

  #output(steps: readonly StageStep[]): Tensor | null {
    const { ort, graph, givesOutputs } = this.#parts;
    if (!givesOutputs) return null;
    const rows = steps.reduce((sum, step) => sum + rowsOut(graph, step), 0);
    const dims = [1, Math.max(1, rows), widthOf(graph)];
    const size = dims[1]! * dims[2]!;
    if (graph.gives === 'hidden') return new ort.Tensor('float32', new Float32Array(size), dims);
    // Megabytes at every step, which nobody keeps: freed by the collector alone, they pile up.
    if (this.#logits.length < size) this.#logits = new Float32Array(size);
    return new ort.Tensor('float32', this.#logits.subarray(0, size), dims);
  }
}

/** What came out of a run, step by step; views of it. */
function divided(graph: StageGraph, steps: readonly StageStep[], data: Float32Array): StageOutput[] {
  const width = widthOf(graph);
  let start = 0;
  return steps.map((step) => {
    const rows = rowsOut(graph, step);
    const part = data.subarray(start * width, (start + rows) * width);
    start += rows;
    return { kind: graph.gives, rows, data: part };
  });
}

function rowsOut({ gives }: StageGraph, step: StageStep): number {
  return gives === 'logits' ? logitsOf(step) : rowsOf(step.input);
}

function widthOf({ gives, vocabSize, outWidth }: StageGraph): number {
  return gives === 'logits' ? vocabSize : outWidth;
}
