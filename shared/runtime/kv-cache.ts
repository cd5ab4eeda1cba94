import type { Tensor } from 'onnxruntime-common';
import { PORTS } from '../graph/attention.ts';
import type { StageGraph } from '../graph/types.ts';
import type { Ort } from './ort.ts';

/** The caches of one sequence in one stage. Each run says in which lane the sequence is, for the names. */
export interface KvCache {
  /** The past tensors, by input name. */
  feeds(lane: number): Record<string, Tensor>;
  /** Where the engine puts the present tensors, by output name; null: wherever it likes. */
  fetches(lane: number): Record<string, Tensor | null>;
  /** Takes over the present tensors of a run. */
  advance(outputs: Readonly<Record<string, Tensor>>, lane: number): void;
  free(): void;
}

/** Makes caches, all zero. */
export type CreateKvCache = (graph: StageGraph) => KvCache | Promise<KvCache>;

interface Slot {
  past(lane: number): string;
  present(lane: number): string;
  dims: number[];
}

/** The past and present tensors of a stage, each [1, kvHeads, contextLength, headDim] float32. */
export function slots({ caches, contextLength }: StageGraph): Slot[] {
  return caches.flatMap(({ layer, kvHeads, headDim }) => {
    const dims = [1, kvHeads, contextLength, headDim];
    return [
      { past: (lane) => PORTS.pastKey(layer, lane), present: (lane) => PORTS.presentKey(layer, lane), dims },
      { past: (lane) => PORTS.pastValue(layer, lane), present: (lane) => PORTS.presentValue(layer, lane), dims },
    ] satisfies Slot[];
  });
}

/** Past and present are one buffer, which the engine extends in place: nothing is copied. */
export function sharedKvCache(graph: StageGraph, allocate: (dims: number[]) => Tensor): KvCache {
  const all = slots(graph).map((slot) => ({ ...slot, tensor: allocate(slot.dims) }));
  const feeds = byLane(graph, (lane) => Object.fromEntries(all.map(({ past, tensor }) => [past(lane), tensor])));
  const fetches = byLane(graph, (lane) =>
    Object.fromEntries(all.map(({ present, tensor }) => [present(lane), tensor])),
  );
  return {
    feeds: (lane) => feeds[lane]!,
    fetches: (lane) => fetches[lane]!,
    advance() {},
    free() {
      for (const { tensor } of all) tensor.dispose();
    },
  };
}

/** The present tensors of one step are the past ones of the next; the engine copies them in and out. */
export function copiedKvCache(ort: Ort, graph: StageGraph): KvCache {
  const all = slots(graph);
  const fetches = byLane(graph, (lane) => Object.fromEntries(all.map(({ present }) => [present(lane), null])));
  let tensors = all.map(({ dims }) => zeros(ort, dims));
  return {
    feeds: (lane) => Object.fromEntries(all.map(({ past }, slot) => [past(lane), tensors[slot]!])),
    fetches: (lane) => fetches[lane]!,
    advance(outputs, lane) {
      tensors = all.map(({ present }) => outputs[present(lane)]!);
    },
    free() {
      tensors = [];
    },
  };
}

/** What lanes without a step are fed in the place of caches, by lane: caches of one row, which nobody reads. */
export function idleFeeds(ort: Ort, graph: StageGraph): Record<string, Tensor>[] {
  const all = slots(graph).map((slot) => ({ ...slot, tensor: zeros(ort, slot.dims.with(2, 1)) }));
  return byLane(graph, (lane) =>
    lane === 0 ? {} : Object.fromEntries(all.map(({ past, tensor }) => [past(lane), tensor])),
  );
}

function byLane<T>({ lanes }: StageGraph, make: (lane: number) => T): T[] {
  return Array.from({ length: lanes }, (_, lane) => make(lane));
}

export function zeros(ort: Ort, dims: number[]): Tensor {
  const size = dims.reduce((product, dim) => product * dim, 1);
  return new ort.Tensor('float32', new Float32Array(size), dims);
}
