/** A part of a model that is loaded, and the tensors that it takes. */
import type { LoadedGraph, TensorEngine, Tensors, Values } from '../runtime/tensor-engine.ts';
import type { PartGraph } from './block-graphs.ts';
import type { ParameterSource, ParameterStore } from './codec/store.ts';
import { PORTS } from './graphs.ts';
import type { ReadAhead, WriteBehind } from './streams.ts';
import type { Selection, VirtualTensor } from './virtual/layout.ts';

export interface LoadedPart {
  graph: LoadedGraph;
  /** Of its parameters. */
  names: string[];
}

/** Where the weights of one gradient come from and what it is made of goes. */
export interface Pass {
  weights: ParameterSource;
  /** Of what is trained, side by side. */
  gradients: ParameterStore;
  /** The weights that are read in order, and the gradients that are written. */
  reads: ReadAhead;
  writes: WriteBehind;
}

/** Throws ENGINE_FAILED. */
export async function loadPart(engine: TensorEngine, { onnx, names }: PartGraph): Promise<LoadedPart> {
  return { graph: await engine.load(onnx), names };
}

/** Reads whole tensors. */
export async function readTensors(
  weights: ParameterSource,
  tensors: readonly VirtualTensor[],
): Promise<Record<string, Values>> {
  const read: Record<string, Values> = {};
  for (const { name, start, length, shape } of tensors) {
    const data = new Float32Array(length);
    await weights.read(start, data);
    read[name] = { data, shape };
  }
  return read;
}

/** Tensors that lie in an array together. */
export function tensorsIn(values: Float32Array, { places }: Selection): Tensors {
  return Object.fromEntries(
    places.map(({ name, shape, at, length }) => [name, { data: values.subarray(at, at + length), shape }]),
  );
}

/** The gradients by tensors, as a graph names them. */
export function gradientsOf(tensors: Tensors): Tensors {
  return Object.fromEntries(Object.entries(tensors).map(([name, values]) => [PORTS.gradient(name), values]));
}

/** The residual stream [rows, columns]. */
export function streamOf(data: Float32Array, columns: number): Values {
  return { data, shape: [data.length / columns, columns] };
}
