/** From an assignment to a stage that runs: configuration, graph, weights by range, engine. */

import { MAX_LANES } from '../graph/limits.ts';
import { materialise } from '../graph/materialise.ts';
import { totalBytes } from '../graph/memory.ts';
import { buildStage } from '../graph/stage.ts';
import { loadConfig } from '../model/config.ts';
import type { ModelConfig } from '../model/types.ts';
import { openWeights } from '../model/weights.ts';
import type { FromCoordinator } from '../protocol/messages.ts';
import type { Engine, LoadedStage, LoadOptions, Runtime } from '../runtime/types.ts';
import type { Borrower } from './chunks/borrower.ts';
import { type ModelFilesOptions, openModelFiles } from './model-files.ts';
import type { StageShape } from './step.ts';

export interface ReadyStage {
  stage: LoadedStage;
  shape: StageShape;
  eosTokens: ModelConfig['eosTokens'];
  /** Weights and all KV caches. */
  memoryBytes: number;
}

export type LoadStage = (
  assignment: FromCoordinator['assign'],
  runtime: Runtime,
  options: Required<Pick<LoadOptions, 'signal' | 'onProgress'>> & { neighbours?: Pick<Borrower, 'attempt'> },
) => Promise<ReadyStage>;

/** A GPU's caches lie in buffers of their own, and what lanes would gain there has not been measured. */
function lanesOf(engine: Engine): number {
  return engine === 'webgpu' ? 1 : MAX_LANES;
}

/** Throws the errors of the model's files, of its configuration and weights, and of the engine. */
export function createLoadStage(files: ModelFilesOptions): LoadStage {
  return async (assignment, runtime, { signal, onProgress, neighbours }) => {
    const { start, end, mlpParts, quant, contextLength, maxSequences, wire } = assignment;
    const source = await openModelFiles(assignment, files, signal, neighbours);
    const config = await loadConfig(source, signal);
    const weights = await openWeights(source, signal);
    const options = { quant, contextLength, lanes: lanesOf(runtime.engine), ...(wire && { wire }) };
    const graph = buildStage(config, { start, end, mlpParts }, options);
    const read = (weight: (typeof graph.weights)[number]) => materialise(weight, weights, config, signal);
    const stage = await runtime.load(graph, read, { maxSequences, signal, onProgress });
    const memoryBytes = totalBytes(graph.memory, maxSequences);
    const { takes, gives, inWidth, outWidth, vocabSize } = graph;
    const shape = { takes, gives, inWidth, outWidth, vocabSize };
    return { stage, shape, eosTokens: config.eosTokens, memoryBytes };
  };
}
