import type { Tensor } from 'onnxruntime-common';
import type { StageGraph } from '../graph/types.ts';
import { stepFeeds } from './feeds.ts';
import { type CreateKvCache, idleFeeds, type KvCache } from './kv-cache.ts';
import type { Ort, OrtSession } from './ort.ts';
import type { StageBody } from './stage.ts';
import { logitsOf, rowsOf } from './step.ts';
import type { StageOutput, StageStep } from './types.ts';

interface OrtStageParts {
  ort: Ort;
  session: OrtSession;
  graph: StageGraph;
  createKvCache: CreateKvCache;
  /** Whether the engine is given the memory for what comes out; otherwise it brings its own. */
  givesOutputs: boolean;
}

/** A stage in an onnxruntime session. */
export class OrtStage implements StageBody<KvCache> {
  readonly #parts: OrtStageParts;
  /** What lanes without a step are fed, by lane. */
  readonly #idle: Record<string, Tensor>[];
  #logits = new Float32Array(0);

  constructor(parts: OrtStageParts) {
    this.#parts = parts;
    this.#idle = idleFeeds(parts.ort, parts.graph);
  }

  openCache(): Promise<KvCache> | KvCache {
    return this.#parts.createKvCache(this.#parts.graph);
  }

  closeCache(cache: KvCache): void {
    cache.free();
  }

  release(): Promise<void> {
    return this.#parts.session.release();
  }

  async compute(steps: readonly StageStep[], caches: readonly KvCache[]): Promise<StageOutput[]> {
    const { ort, graph, session } = this.#parts;
    const port = graph.gives === 'logits' ? 'logits' : 'hidden_out';
    const feeds = stepFeeds(ort, session, graph, steps);
    const fetches: Record<string, Tensor | null> = { [port]: this.#output(steps) };
    for (let lane = 0; lane < graph.lanes; lane++) {
      const cache = caches[lane];
      Object.assign(feeds, cache ? cache.feeds(lane) : this.#idle[lane]);
      if (cache) Object.assign(fetches, cache.fetches(lane));
    }
    const outputs = await session.run(feeds, fetches);
    for (const [lane, cache] of caches.entries()) cache.advance(outputs, lane);
    return divided(graph, steps, outputs[port]!.data as Float32Array);
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

export function rowsOut({ gives }: StageGraph, step: StageStep): number {
  return gives === 'logits' ? logitsOf(step) : rowsOf(step.input);
}

export function widthOf({ gives, vocabSize, outWidth }: StageGraph): number {
  return gives === 'logits' ? vocabSize : outWidth;
}
