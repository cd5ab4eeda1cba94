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
  /** All outputs by name. Throws ENGINE_FAILED, STAGE_RELEASED. */
  run(inputs: Readonly<Record<string, Values>>): Promise<Record<string, Float32Array>>;
  release(): Promise<void>;
}

export interface TensorEngine {
  /** Loads a graph whose inputs and outputs are float32 or int32. Throws ENGINE_FAILED. */
  load(onnx: Uint8Array): Promise<LoadedGraph>;
  /** Releases every graph. */
  close(): Promise<void>;
}

/** A `TensorEngine` over any onnxruntime package; one mutex over creating and running, as in `createOrtRuntime`. */
export function createTensorEngine(ort: Ort, options: InferenceSession.SessionOptions): TensorEngine {
  const mutex = new Mutex();
  const loaded = new Set<LoadedGraph>();
  return {
    async load(onnx) {
      const session = await mutex.run(() => createSession(ort, onnx, memoryStaging(), options));
      let released = false;
      const graph: LoadedGraph = {
        run: (inputs) =>
          mutex.run(() => {
            if (released) throw AiloError.of('STAGE_RELEASED', {});
            return runOnce(ort, session, inputs);
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

async function runOnce(
  ort: Ort,
  session: OrtSession,
  inputs: Readonly<Record<string, Values>>,
): Promise<Record<string, Float32Array>> {
  const feeds: Record<string, Tensor> = {};
  for (const [name, { data, shape }] of Object.entries(inputs)) {
    feeds[name] =
      data instanceof Int32Array ? new ort.Tensor('int32', data, shape) : new ort.Tensor('float32', data, shape);
  }
  try {
    const outputs = await session.run(feeds);
    return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, data as Float32Array]));
  } catch (error) {
    throw engineFailed(error);
  }
}
