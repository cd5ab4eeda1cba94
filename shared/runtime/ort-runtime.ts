import type { InferenceSession } from 'onnxruntime-common';
import { throwIfCancelled } from '../errors/cancelled.ts';
import { AiloError } from '../errors/index.ts';
import { totalBytes } from '../graph/memory.ts';
import type { StageGraph, WeightSpec } from '../graph/types.ts';
import type { CreateKvCache, KvCache } from './kv-cache.ts';
import { MAX_SEQUENCES } from './limits.ts';
import { measureMatMul } from './measure.ts';
import { Mutex } from './mutex.ts';
import { createSession, type Ort, type RunSession, runSession } from './ort.ts';
import { OrtStage } from './ort-stage.ts';
import { SequencedStage, type StageBody } from './stage.ts';
import type { Engine, LoadedStage, LoadOptions, Runtime } from './types.ts';

/** The files of a stage's weights, each read when it is asked for. */
export type ReadWeights = AsyncGenerator<{ name: string; bytes: Uint8Array }, void, void>;
export type OpenStage = (
  graph: StageGraph,
  weights: ReadWeights,
  maxSequences: number,
) => Promise<StageBody<unknown>> | undefined;

export interface OrtRuntimeOptions {
  ort: Ort;
  engine: Engine;
  budgetBytes: number;
  /** Execution providers and threads. */
  session: InferenceSession.SessionOptions;
  createKvCache: CreateKvCache;
  /** How a session is run, where not by its own method. */
  run?: RunSession;
  /** Opens stages by other means than onnxruntime; undefined for those that they do not know. */
  openOther?: OpenStage;
  nowMs: () => number;
}

/**
 * The one implementation of `Runtime`, over whichever onnxruntime package is given. One mutex lies over everything
 * that touches the engine: two concurrent runs or creates hang or corrupt onnxruntime-web's WebGPU provider.
 */
export function createOrtRuntime({
  ort,
  engine,
  budgetBytes,
  session: sessionOptions,
  createKvCache,
  run = runSession,
  openOther,
  nowMs,
}: OrtRuntimeOptions): Runtime {
  const mutex = new Mutex();
  const stages = new Set<LoadedStage>();
  /** Bytes of the stages that are loaded or being loaded. */
  let reservedBytes = 0;

  const openOrt = async (graph: StageGraph, weights: ReadWeights): Promise<StageBody<KvCache>> => {
    const files = new Map<string, Uint8Array>();
    for await (const { name, bytes } of weights) files.set(name, bytes);
    const session = await mutex.run(() => createSession(ort, graph.onnx, files, sessionOptions));
    return new OrtStage({ ort, session, graph, createKvCache, run });
  };

  return {
    engine,
    budgetBytes,

    async load(graph, read, options) {
      const { maxSequences } = options;
      if (!(Number.isInteger(maxSequences) && maxSequences >= 1 && maxSequences <= MAX_SEQUENCES)) {
        throw new RangeError(`maxSequences must be 1 to ${MAX_SEQUENCES}`);
      }
      const neededBytes = totalBytes(graph.memory, maxSequences);
      if (reservedBytes + neededBytes > budgetBytes) {
        throw AiloError.of('MEMORY_BUDGET_EXCEEDED', { neededBytes, budgetBytes: budgetBytes - reservedBytes });
      }
      reservedBytes += neededBytes;
      const free = () => {
        reservedBytes -= neededBytes;
      };
      try {
        const weights = readWeights(graph, read, options);
        const body = await (openOther?.(graph, weights, maxSequences) ?? openOrt(graph, weights));
        const stage: LoadedStage = new SequencedStage<unknown>({
          graph,
          body,
          maxSequences,
          mutex,
          onReleased() {
            stages.delete(stage);
            free();
          },
        });
        stages.add(stage);
        return stage;
      } catch (error) {
        free();
        throw error;
      }
    },

    measure: () => mutex.run(async () => ({ matmulGflops: await measureMatMul(ort, sessionOptions, nowMs) })),

    async close() {
      await Promise.all([...stages].map((stage) => stage.release()));
    },
  };
}

/** All weights of a stage, one after the other. Throws CANCELLED, and ENGINE_FAILED for a weight of the wrong size. */
async function* readWeights(
  graph: StageGraph,
  read: (weight: WeightSpec) => Promise<Uint8Array>,
  { signal, onProgress }: Pick<LoadOptions, 'signal' | 'onProgress'>,
): ReadWeights {
  let loadedBytes = 0;
  for (const weight of graph.weights) {
    throwIfCancelled(signal);
    const bytes = await read(weight);
    if (bytes.length !== weight.byteLength) {
      throw AiloError.of('ENGINE_FAILED', { reason: `the weight ${weight.name} has ${bytes.length} bytes` });
    }
    yield { name: weight.name, bytes };
    loadedBytes += bytes.length;
    onProgress?.(loadedBytes, graph.memory.weightBytes);
  }
  throwIfCancelled(signal);
}
