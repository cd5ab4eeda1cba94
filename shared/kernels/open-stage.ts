import type { OpenStage } from '../runtime/ort-runtime.ts';
import { compileStage } from './compile.ts';
import { KernelStage, type Kernels } from './kernel-stage.ts';

/** Opens the stages that the kernels know: those of int8 rooms. */
export function openWithKernels(kernels: Kernels): OpenStage {
  return (graph, weights, maxSequences) => {
    const program = compileStage(graph.recorded, graph.contextLength);
    return program && KernelStage.open(graph, program, kernels, { weights, maxSequences });
  };
}
