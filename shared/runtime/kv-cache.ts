import type { Tensor } from 'onnxruntime-common';
import { PORTS } from '../graph/attention.ts';
import type { StageGraph } from '../graph/types.ts';
import type { Ort } from './ort.ts';

/** The caches of one sequence in one stage. */
export interface KvCache {
  /** The past tensors, by input name. */
  feeds(): Record<string, Tensor>;
  /** Where the engine puts the present tensors, by output name; null: wherever it likes. */
  fetches(): Record<string, Tensor | null>;
  /** Takes over the present tensors of a run. */
  advance(outputs: Readonly<Record<string, Tensor>>): void;
  free(): void;
}

/** Makes the caches of a new sequence, all zero. */
export type CreateKvCache = (graph: StageGraph) => KvCache | Promise<KvCache>;

interface Slot {
  past: string;
  present: string;
  dims: number[];
}

/** The past and present tensors of a stage, each [1, kvHeads, contextLength, headDim] float32. */
export function slots({ caches, contextLength }: StageGraph): Slot[] {
  return caches.flatMap(({ layer, kvHeads, headDim }) => {
    const dims = [1, kvHeads, contextLength, headDim];
    return [
      { past: PORTS.pastKey(layer), present: PORTS.presentKey(layer), dims },
      { past: PORTS.pastValue(layer), present: PORTS.presentValue(layer), dims },
    ];
  });
}

/** Past and present are one buffer, which the engine extends in place: nothing is copied. */
export function sharedKvCache(graph: StageGraph, allocate: (dims: number[]) => Tensor): KvCache {
  const all = slots(graph).map((slot) => ({ ...slot, tensor: allocate(slot.dims) }));
  const feeds = Object.fromEntries(all.map(({ past, tensor }) => [past, tensor]));
  const fetches = Object.fromEntries(all.map(({ present, tensor }) => [present, tensor]));
  return {
    feeds: () => feeds,
    fetches: () => fetches,
    advance() {},
    free() {
      for (const { tensor } of all) tensor.dispose();
    },
  };
}

/** The present tensors of one step are the past ones of the next; the engine copies them in and out. */
export function copiedKvCache(ort: Ort, graph: StageGraph): KvCache {
  const all = slots(graph);
  let feeds = Object.fromEntries(all.map(({ past, dims }) => [past, zeros(ort, dims)]));
  const fetches = Object.fromEntries(all.map(({ present }) => [present, null]));
  return {
    feeds: () => feeds,
    fetches: () => fetches,
    advance(outputs) {
      feeds = Object.fromEntries(all.map(({ past, present }) => [past, outputs[present]!]));
    },
    free() {
      feeds = {};
    },
  };
}

export function zeros(ort: Ort, dims: number[]): Tensor {
  const size = dims.reduce((product, dim) => product * dim, 1);
  return new ort.Tensor('float32', new Float32Array(size), dims);
}
