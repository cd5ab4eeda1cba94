import type { InferenceSession } from 'onnxruntime-common';
import { throwIfCancelled } from '../errors/cancelled.ts';
import { AiloError } from '../errors/index.ts';
import { totalBytes } from '../graph/memory.ts';
import type { StageGraph, WeightSpec } from '../graph/types.ts';
import { peakBytes } from './budget.ts';
import type { CreateKvCache, KvCache } from './kv-cache.ts';
import { MAX_SEQUENCES } from './limits.ts';
import { measureMatMul } from './measure.ts';
import { Mutex } from './mutex.ts';
import { createSession, engineFailed, type Ort } from './ort.ts';
import { OrtStage } from './ort-stage.ts';
import { SequencedStage, type StageBody } from './stage.ts';
import { memoryStaging, type Staging } from './staging.ts';
import type { Engine, LoadedStage, LoadOptions, Runtime } from './types.ts';

/** The files of a stage's weights, each read when it is asked for. */
export type ReadWeights = AsyncGenerator<{ name: string; bytes: Uint8Array }, void, void>;

/** Opens stages by other means than onnxruntime. They hold weights once. */
export interface OtherStages {
  /** How to open this one, or undefined where it is not known how. */
  opener(graph: StageGraph): ((weights: ReadWeights, maxSequences: number) => Promise<StageBody<unknown>>) | undefined;
}

export interface OrtRuntimeOptions {
  ort: Ort;
  engine: Engine;
  budgetBytes: number;
  /** Execution providers and threads. */
  session: InferenceSession.SessionOptions;
  createKvCache: CreateKvCache;
  /** Whether the engine is given the memory for what comes out (false). */
  givesOutputs?: boolean;
  /** Where weights wait for their session: in memory without one. */
  createStaging?: () => Promise<Staging>;
  /** What opens stages in the place of onnxruntime, as far as it can. */
  others?: OtherStages;
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
  givesOutputs = false,
  createStaging = async () => memoryStaging(),
  others,
  nowMs,
}: OrtRuntimeOptions): Runtime {
  const mutex = new Mutex();
  const stages = new Set<LoadedStage>();
  /** Peaks of the stages that are loaded or being loaded: no heap shrinks for sure once it has grown. */
  let reservedBytes = 0;

  const openOrt = async (graph: StageGraph, weights: ReadWeights): Promise<StageBody<KvCache>> => {
    const session = await staged(await createStaging(), async (staging) => {
      for await (const { name, bytes } of weights) await staging.put(name, bytes);
      return mutex.run(() => createSession(ort, graph.onnx, staging, sessionOptions));
    });
    return new OrtStage({ ort, session, graph, createKvCache, givesOutputs });
  };

  return {
    engine,
    budgetBytes,
    hasKernels: others !== undefined,

    async load(graph, read, options) {
      const { maxSequences } = options;
      if (!(Number.isInteger(maxSequences) && maxSequences >= 1 && maxSequences <= MAX_SEQUENCES)) {
        throw new RangeError(`maxSequences must be 1 to ${MAX_SEQUENCES}`);
      }
      const open = others?.opener(graph);
      const neededBytes = open ? totalBytes(graph.memory, maxSequences) : peakBytes(graph.memory, maxSequences, engine);
      if (reservedBytes + neededBytes > budgetBytes) {
        throw AiloError.of('MEMORY_BUDGET_EXCEEDED', { neededBytes, budgetBytes: budgetBytes - reservedBytes });
      }
      reservedBytes += neededBytes;
      const free = () => {
        reservedBytes -= neededBytes;
      };
      try {
        const weights = readWeights(graph, read, options);
        const body = await (open ? opened(open(weights, maxSequences)) : openOrt(graph, weights));
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

async function staged<T>(staging: Staging, use: (staging: Staging) => Promise<T>): Promise<T> {
  try {
    return await use(staging);
  } finally {
    await staging.clear();
  }
}

async function opened<T>(body: Promise<T>): Promise<T> {
  try {
    return await body;
  } catch (error) {
    throw error instanceof AiloError ? error : engineFailed(error);
  }
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
