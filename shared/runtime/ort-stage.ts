import type { InferenceSession, Tensor } from 'onnxruntime-common';
import { PORTS } from '../graph/attention.ts';
import type { StageGraph } from '../graph/types.ts';
import type { CreateKvCache, KvCache } from './kv-cache.ts';
import type { Ort, RunSession } from './ort.ts';
import type { StageBody } from './stage.ts';
import { rowsOf } from './step.ts';
import type { StageInput, StageOutput } from './types.ts';

interface OrtStageParts {
  ort: Ort;
  session: InferenceSession;
  graph: StageGraph;
  createKvCache: CreateKvCache;
  run: RunSession;
}

/** A stage in an onnxruntime session. */
export class OrtStage implements StageBody<KvCache> {
  readonly #parts: OrtStageParts;

  constructor(parts: OrtStageParts) {
    this.#parts = parts;
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

  async compute(input: StageInput, position: number, cache: KvCache): Promise<StageOutput> {
    const { graph, session, run } = this.#parts;
    const rows = rowsOf(input);
    const feeds = { ...this.#feeds(input, position, rows), ...cache.feeds };
    const port = graph.gives === 'logits' ? 'logits' : 'hidden_out';
    const outputs = await run(session, feeds, { [port]: null, ...cache.fetches });
    const data = outputs[port]!.data as Float32Array;
    return graph.gives === 'logits' ? { kind: 'logits', data } : { kind: 'hidden', rows, data };
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
