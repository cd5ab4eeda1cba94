/** Runs graphs of plain arrays, with every weight an input: what training needs of an engine. */
import type { InferenceSession, Tensor } from 'onnxruntime-common';
import { AiloError } from '../errors/index.ts';
import { Mutex } from './mutex.ts';
import { createSession, engineFailed, type Ort, type OrtSession } from './ort.ts';
import { memoryStaging } from './staging.ts';

/** A tensor outside the engine, row-major. */
export interface Values {
  data: Float32Array | Int32Array;
  shape: readonly number[];
}

export interface LoadedGraph {
  /**
   * All outputs by name; those that `into` names are written there. What lies in the engine's memory goes in and out
   * without being copied. Throws ENGINE_FAILED, STAGE_RELEASED.
   */
  run(inputs: Tensors, into?: Tensors): Promise<Record<string, Float32Array>>;
  release(): Promise<void>;
}

export type Tensors = Readonly<Record<string, Values>>;

/** Float32 values where an engine computes. */
export interface EngineMemory {
  readonly values: Float32Array;
  free(): void;
}

export interface TensorEngine {
  /** Loads a graph whose inputs and outputs are float32 or int32. Throws ENGINE_FAILED. */
  load(onnx: Uint8Array): Promise<LoadedGraph>;
  /** `size` zeros for what many runs read or write, once a graph is loaded. Throws RangeError without room. */
  allocate(size: number): EngineMemory;
  /** Releases every graph. */
  close(): Promise<void>;
}

export interface TensorEngineOptions {
  session: InferenceSession.SessionOptions;
  /** Memory that sessions read and write in place; without it, they are given copies. */
  allocate?: (size: number) => EngineMemory;
}

export function plainMemory(size: number): EngineMemory {
  return { values: new Float32Array(size), free() {} };
}

/** A `TensorEngine` over any onnxruntime package; one mutex over creating and running, as in `createOrtRuntime`. */
export function createTensorEngine(ort: Ort, { session: options, allocate }: TensorEngineOptions): TensorEngine {
  const mutex = new Mutex();
  const loaded = new Set<LoadedGraph>();
  const runOnce = allocate ? runInPlace : runCopied;
  return {
    allocate: allocate ?? plainMemory,
    async load(onnx) {
      const session = await mutex.run(() => createSession(ort, onnx, memoryStaging(), options));
      let released = false;
      const graph: LoadedGraph = {
        run: (inputs, into = {}) =>
          mutex.run(async () => {
            if (released) throw AiloError.of('STAGE_RELEASED', {});
            try {
              return await runOnce(ort, session, inputs, into);
            } catch (error) {
              throw engineFailed(error);
            }
          }),
        release: () =>
          mutex.run(async () => {
            if (released) return;
            released = true;
            loaded.delete(graph);
            await session.release();
          }),
      };
      loaded.add(graph);
      return graph;
    },
    async close() {
      await Promise.all([...loaded].map((graph) => graph.release()));
    },
  };
}

function tensorsOf(ort: Ort, values: Tensors): Record<string, Tensor> {
  const tensors: Record<string, Tensor> = {};
  for (const [name, { data, shape }] of Object.entries(values)) {
    tensors[name] =
      data instanceof Int32Array ? new ort.Tensor('int32', data, shape) : new ort.Tensor('float32', data, shape);
  }
  return tensors;
}

async function runCopied(ort: Ort, session: OrtSession, inputs: Tensors, into: Tensors) {
  const outputs = arraysOf(await session.run(tensorsOf(ort, inputs)));
  for (const [name, { data }] of Object.entries(into)) data.set(outputs[name]!);
  return outputs;
}

async function runInPlace(ort: Ort, session: OrtSession, inputs: Tensors, into: Tensors) {
  const anywhere = Object.fromEntries(session.outputNames.map((name) => [name, null]));
  const given = tensorsOf(ort, into);
  return arraysOf({ ...(await session.run(tensorsOf(ort, inputs), { ...anywhere, ...given })), ...given });
}

function arraysOf(outputs: Readonly<Record<string, Tensor>>): Record<string, Float32Array> {
  return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, data as Float32Array]));
}
