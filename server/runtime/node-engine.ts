import { createTensorEngine, plainMemory, type TensorEngine } from '../../shared/runtime/tensor-engine.ts';
import { inPlace } from './in-place.ts';
import { ort } from './onnxruntime.ts';

/** onnxruntime's CPU provider in this process, for training. `threads`: 0 or absent lets it take all cores. */
export function createNodeEngine({ threads = 0 }: { threads?: number } = {}): TensorEngine {
  const session = { executionProviders: ['cpu'], intraOpNumThreads: threads, logSeverityLevel: 3 } as const;
  return createTensorEngine(inPlace(ort), { session, allocate: plainMemory });
}
