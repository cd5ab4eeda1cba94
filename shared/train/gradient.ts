import type { TensorEngine } from '../runtime/tensor-engine.ts';
import { BlockGradient } from './block-gradient.ts';
import { memoryStore } from './codec/store.ts';
import type { Batch } from './data.ts';
import { gradientGraph, PORTS } from './graphs.ts';
import type { TrainingConfig } from './model/lora.ts';
import { type BatchShape, parametersOf, trainedOf } from './model/model.ts';
import { sourceOf, type TensorStore, weightInputs } from './store.ts';

/** The gradient of a model's loss on a batch. */
export interface Gradient {
  compute(weights: TensorStore, batch: Batch): Promise<GradientReport>;
  release(): Promise<void>;
}

export interface GradientReport {
  /** Nats per token. */
  loss: number;
  /** By the names of the parameters that are trained. */
  gradients: Map<string, Float32Array>;
}

/** The whole model in one graph: the fastest form, which holds everything at once. Throws ENGINE_FAILED. */
export async function loadWholeGradient(
  engine: TensorEngine,
  config: TrainingConfig,
  shape: BatchShape,
): Promise<Gradient> {
  const [parameters, trained] = [parametersOf(config), trainedOf(config)];
  const graph = await engine.load(gradientGraph(config, shape));
  return {
    async compute(weights, batch) {
      const outputs = await graph.run({ ...(await weightInputs(weights, parameters)), ...batchInputs(batch, shape) });
      const gradients = new Map(trained.map(({ name }) => [name, outputs[PORTS.gradient(name)]!]));
      return { loss: outputs[PORTS.loss]![0]!, gradients };
    },
    release: () => graph.release(),
  };
}

/** Block by block, with everything in memory all the same. Throws ENGINE_FAILED. */
export async function loadBlockwiseGradient(
  engine: TensorEngine,
  config: TrainingConfig,
  shape: BatchShape,
): Promise<Gradient> {
  const blocks = await BlockGradient.load(engine, config, shape);
  return {
    async compute(weights, batch) {
      const { tensors, values } = blocks.trained;
      const flat = new Float32Array(values);
      const loss = await blocks.compute(sourceOf(weights, blocks.layout.tensors), batch, memoryStore(flat));
      const views = tensors.map(({ name, start, length }) => [name, flat.subarray(start, start + length)] as const);
      return { loss, gradients: new Map(views) };
    },
    release: () => blocks.release(),
  };
}

/** A batch as inputs of a graph. */
export function batchInputs({ tokens, targets }: Batch, { batch, sequence }: BatchShape) {
  return {
    [PORTS.tokens]: { data: tokens, shape: [batch, sequence] },
    [PORTS.targets]: { data: targets, shape: [batch * sequence] },
  };
}
