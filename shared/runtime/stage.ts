import type { InferenceSession, Tensor } from 'onnxruntime-common';
import { AiloError } from '../errors/index.ts';
import { PORTS } from '../graph/attention.ts';
import type { StageGraph } from '../graph/types.ts';
import type { CreateKvCache, KvCache } from './kv-cache.ts';
import type { Mutex } from './mutex.ts';
import { engineFailed, type Ort, type RunSession } from './ort.ts';
import { checkStep, rowsOf } from './step.ts';
import type { LoadedStage, StageInput, StageOutput, StageStep } from './types.ts';

interface Sequence {
  /** Rows in the cache. */
  length: number;
  cache: KvCache;
}

interface StageParts {
  ort: Ort;
  session: InferenceSession;
  graph: StageGraph;
  maxSequences: number;
  createKvCache: CreateKvCache;
  run: RunSession;
  /** Guards the session, the sequences and `#released`: every method runs within it. */
  mutex: Mutex;
  /** Called once, when the memory is free again. */
  onReleased: () => void;
}

/** A stage in an onnxruntime session. */
export class OrtStage implements LoadedStage {
  readonly #parts: StageParts;
  readonly #sequences = new Map<string, Sequence>();
  #released = false;

  constructor(parts: StageParts) {
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
      await this.#parts.session.release();
      this.#parts.onReleased();
    });
  }

  #forget(name: string): void {
    this.#sequences.get(name)?.cache.free();
    this.#sequences.delete(name);
  }

  async #run({ sequence: name, position, input }: StageStep): Promise<StageOutput> {
    if (this.#released) throw AiloError.of('STAGE_RELEASED', {});
    const { graph, session, run } = this.#parts;
    const rows = rowsOf(input);
    checkStep(graph, { position, input }, this.#sequences.get(name)?.length ?? 0);
    const sequence = await this.#open(name);
    const feeds = { ...this.#feeds(input, position, rows), ...sequence.cache.feeds };
    const port = graph.gives === 'logits' ? 'logits' : 'hidden_out';
    try {
      const outputs = await run(session, feeds, { [port]: null, ...sequence.cache.fetches });
      sequence.length += rows;
      const data = outputs[port]!.data as Float32Array;
      return graph.gives === 'logits' ? { kind: 'logits', data } : { kind: 'hidden', rows, data };
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
    const sequence = { length: 0, cache: await createKvCache(graph) };
    this.#sequences.set(name, sequence);
    return sequence;
  }

  /** The inputs that this stage's graph declares, without the caches. */
  #feeds(input: StageInput, position: number, rows: number): Record<string, Tensor> {
    const { Tensor } = this.#parts.ort;
    const positions = () => BigInt64Array.from({ length: rows }, (_, row) => BigInt(position + row));
    const possible: Record<string, () => Tensor> = {
      tokens: () => new Tensor('int32', (input as { ids: Int32Array }).ids, [1, rows]),
      hidden: () =>
        new Tensor('float32', (input as { data: Float32Array }).data, [1, rows, this.#parts.graph.hiddenSize]),
      [PORTS.positions]: () => new Tensor('int64', positions(), [1, rows]),
      [PORTS.lastPosition]: () => new Tensor('int32', Int32Array.of(position + rows - 1), [1]),
      [PORTS.totalLength]: () => new Tensor('int32', Int32Array.of(position + rows), [1]),
    };
    const feeds: Record<string, Tensor> = {};
    for (const name of this.#parts.session.inputNames) {
      const make = possible[name];
      if (make) feeds[name] = make();
    }
    return feeds;
  }
}
