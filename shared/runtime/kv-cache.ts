import type { Tensor } from 'onnxruntime-common';
import { PORTS } from '../graph/attention.ts';
import type { StageGraph } from '../graph/types.ts';
import type { Ort } from './ort.ts';

/** The caches of one sequence in one stage. */
export interface KvCache {
  /** The past tensors, by input name. */
  readonly feeds: Readonly<Record<string, Tensor>>;
  /** The present tensors, by output name: the same ones, which a run extends in place. */
  readonly fetches: Readonly<Record<string, Tensor>>;
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
    feeds,
    fetches,
    free() {
      for (const { tensor } of all) tensor.dispose();
    },
  };
}

export function zeros(ort: Ort, dims: number[]): Tensor {
  const size = dims.reduce((product, dim) => product * dim, 1);
  return new ort.Tensor('float32', new Float32Array(size), dims);
}
