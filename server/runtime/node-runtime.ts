import * as ort from 'onnxruntime-node';
import { sharedKvCache, zeros } from '../../shared/runtime/kv-cache.ts';
import { createOrtRuntime } from '../../shared/runtime/ort-runtime.ts';
import type { Runtime } from '../../shared/runtime/types.ts';
import { inPlace } from './in-place.ts';

/** onnxruntime's CPU provider in this process. `threads`: 0 or absent lets it take all cores. */
export function createNodeRuntime({ budgetBytes, threads = 0 }: { budgetBytes: number; threads?: number }): Runtime {
  return createOrtRuntime({
    ort: inPlace(ort),
    engine: 'node',
    budgetBytes,
    session: { executionProviders: ['cpu'], intraOpNumThreads: threads, logSeverityLevel: 3 },
    createKvCache: (graph) => sharedKvCache(graph, (dims) => zeros(ort, dims)),
    givesOutputs: true,
    nowMs: () => performance.now(),
  });
}
