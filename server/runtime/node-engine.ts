import { createTensorEngine, type TensorEngine } from '../../shared/runtime/tensor-engine.ts';
import { ort } from './onnxruntime.ts';

/** onnxruntime's CPU provider in this process, for training. `threads`: 0 or absent lets it take all cores. */
export function createNodeEngine({ threads = 0 }: { threads?: number } = {}): TensorEngine {
  return createTensorEngine(ort, { executionProviders: ['cpu'], intraOpNumThreads: threads, logSeverityLevel: 3 });
}
