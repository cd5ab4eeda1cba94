import type { LoadedGraph, TensorEngine } from '../runtime/tensor-engine.ts';
import { type Gradient, loadBlockwiseGradient, loadWholeGradient } from './gradient.ts';
import { updateGraph } from './graphs.ts';
import { MAX_UPDATE_VALUES, MAX_WHOLE_PARAMETERS } from './limits.ts';
import type { Parameter } from './model/family.ts';
import type { TrainingConfig } from './model/lora.ts';
import { type BatchShape, parameterCount, trainedOf } from './model/model.ts';
import type { Optimiser } from './optimiser/types.ts';
import { sizeOf } from './tape/tape.ts';

/** The graphs of a step, loaded: no weights in them, so that any number of trainers can share them. */
export interface StepGraphs {
  /** That are trained. */
  parameters: readonly Parameter[];
  optimiser: Optimiser;
  gradient: Gradient;
  groups: Group[];
  release(): Promise<void>;
}

/** Parameters that one run of the optimiser changes. */
export interface Group {
  parameters: Parameter[];
  update: LoadedGraph;
}

export interface StepOptions {
  config: TrainingConfig;
  shape: BatchShape;
  optimiser: Optimiser;
  /** How gradients are computed; without a wish, the whole model at once while it is small. */
  form?: 'whole' | 'blocks';
}

/** Builds and loads the graphs of a step. Throws ENGINE_FAILED. */
export async function loadStepGraphs(engine: TensorEngine, options: StepOptions): Promise<StepGraphs> {
  const { config, shape, optimiser } = options;
  const form = options.form ?? (parameterCount(config) <= MAX_WHOLE_PARAMETERS ? 'whole' : 'blocks');
  const loaded: { release(): Promise<void> }[] = [];
  const load = async (onnx: Uint8Array) => {
    const graph = await engine.load(onnx);
    loaded.push(graph);
    return graph;
  };
  const release = async () => {
    for (const graph of loaded) await graph.release();
  };
  try {
    const parameters = trainedOf(config);
    const gradient = await (form === 'whole' ? loadWholeGradient : loadBlockwiseGradient)(engine, config, shape);
    loaded.push(gradient);
    const groups: Group[] = [];
    for (const group of groupsOf(parameters, MAX_UPDATE_VALUES)) {
      groups.push({ parameters: group, update: await load(updateGraph(optimiser, group)) });
    }
    return { parameters, optimiser, gradient, groups, release };
  } catch (error) {
    await release();
    throw error;
  }
}

/** Neighbouring parameters together, each group of at most `maxValues` values or a single parameter. */
export function groupsOf(parameters: readonly Parameter[], maxValues: number): Parameter[][] {
  const groups: Parameter[][] = [];
  let values = Number.POSITIVE_INFINITY;
  for (const parameter of parameters) {
    const size = sizeOf(parameter.shape);
    values += size;
    if (values > maxValues) {
      groups.push([]);
      values = size;
    }
    groups.at(-1)!.push(parameter);
  }
  return groups;
}
