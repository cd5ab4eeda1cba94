import type { OtherStages } from '../runtime/ort-runtime.ts';
import { compileStage } from './compile.ts';
import { KernelStage, type Kernels } from './kernel-stage.ts';

/** Opens the stages that the kernels know: those of int8 rooms. */
export function kernelStages(kernels: Kernels): OtherStages {
  return {
    opener(graph) {
      const program = compileStage(graph.recorded, graph.contextLength);
      return (
        program && ((weights, maxSequences) => KernelStage.open(graph, program, kernels, { weights, maxSequences }))
      );
    },
  };
}
