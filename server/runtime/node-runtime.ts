import { tmpdir } from 'node:os';
import { sharedKvCache, zeros } from '../../shared/runtime/kv-cache.ts';
import { createOrtRuntime } from '../../shared/runtime/ort-runtime.ts';
import type { Runtime } from '../../shared/runtime/types.ts';
import { folderStaging } from './folder-staging.ts';
import { inPlace } from './in-place.ts';
import { ort } from './onnxruntime.ts';

export interface NodeRuntimeOptions {
  budgetBytes: number;
  /** 0 or absent lets it take all cores. */
  threads?: number;
  /** Where weights lie as files while a stage is loaded; absent: the system's folder for such. */
  stagingFolder?: string;
}

/** onnxruntime's CPU provider in this process. */
export function createNodeRuntime({ budgetBytes, threads = 0, stagingFolder = tmpdir() }: NodeRuntimeOptions): Runtime {
  return createOrtRuntime({
    ort: inPlace(ort),
    engine: 'node',
    budgetBytes,
    session: { executionProviders: ['cpu'], intraOpNumThreads: threads, logSeverityLevel: 3 },
    createStaging: () => folderStaging(stagingFolder),
    createKvCache: (graph) => sharedKvCache(graph, (dims) => zeros(ort, dims)),
    givesOutputs: true,
    nowMs: () => performance.now(),
  });
}
