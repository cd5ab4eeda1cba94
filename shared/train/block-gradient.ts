import type { LoadedGraph, TensorEngine, Values } from '../runtime/tensor-engine.ts';
import {
  blockBackward,
  blockForward,
  blockNames,
  embeddingBackward,
  embeddingForward,
  headGraph,
  type PartGraph,
} from './block-graphs.ts';
import { batchInputs, type Gradient, type GradientReport } from './gradient.ts';
import { PORTS } from './graphs.ts';
import type { TrainingConfig } from './model/lora.ts';
import { type BatchShape, parametersOf } from './model/model.ts';
import type { TensorStore } from './store.ts';

interface LoadedPart {
  graph: LoadedGraph;
  names: string[];
}

/**
 * The model block by block (Chen et al. 2016): of the way forward only the inputs of the blocks are kept, and a block
 * is computed again when its gradient is due. One pair of graphs serves all blocks; the engine never holds more than
 * one block's weights, activations and gradients. Throws ENGINE_FAILED.
 */
export async function loadBlockGradient(
  engine: TensorEngine,
  config: TrainingConfig,
  shape: BatchShape,
): Promise<Gradient> {
  const load = async ({ onnx, names }: PartGraph): Promise<LoadedPart> => ({ graph: await engine.load(onnx), names });
  const parts = {
    embedding: await load(embeddingForward(config, shape)),
    block: await load(blockForward(config, shape)),
    head: await load(headGraph(config, shape)),
    blockBackward: await load(blockBackward(config, shape)),
  };
  const embeddingEnd = embeddingBackward(config, shape);
  const last = embeddingEnd && (await load(embeddingEnd));
  const layers = Array.from({ length: config.layers }, (_, layer) => blockNames(config, shape, layer));
  const shapes = new Map(parametersOf(config).map((parameter) => [parameter.name, parameter.shape]));
  const stream = (data: Float32Array): Values => ({
    data,
    shape: [data.length / config.hiddenSize, config.hiddenSize],
  });

  /** Runs a part with the parameters `names` of the model; gathers their gradients, where it gives any. */
  const run = async (
    { graph, names: inner }: LoadedPart,
    inputs: Record<string, Values>,
    weights: TensorStore,
    gradients: GradientReport['gradients'],
    names = inner,
  ): Promise<Record<string, Float32Array>> => {
    const all = { ...inputs };
    for (const [index, name] of names.entries()) {
      all[inner[index]!] = { data: await weights.read(name), shape: shapes.get(name)! };
    }
    const outputs = await graph.run(all);
    for (const [index, name] of names.entries()) {
      const gradient = outputs[PORTS.gradient(inner[index]!)];
      if (gradient) gradients.set(name, sum(gradients.get(name), gradient));
    }
    return outputs;
  };

  return {
    async compute(weights, batch) {
      const { [PORTS.tokens]: tokens, [PORTS.targets]: targets } = batchInputs(batch, shape);
      const gradients = new Map<string, Float32Array>();
      const befores: Values[] = [];
      let x = stream((await run(parts.embedding, { tokens: tokens! }, weights, gradients))[PORTS.after]!);
      for (const names of layers) {
        befores.push(x);
        x = stream((await run(parts.block, { [PORTS.before]: x }, weights, gradients, names))[PORTS.after]!);
      }
      const top = await run(parts.head, { [PORTS.before]: x, [PORTS.targets]: targets! }, weights, gradients);
      let dx = stream(top[PORTS.gradient(PORTS.before)]!);
      for (const names of layers.toReversed()) {
        const inputs = { [PORTS.before]: befores.pop()!, [PORTS.gradient(PORTS.after)]: dx };
        const outputs = await run(parts.blockBackward, inputs, weights, gradients, names);
        dx = stream(outputs[PORTS.gradient(PORTS.before)]!);
      }
      const inputs = { tokens: tokens!, [PORTS.gradient(PORTS.after)]: dx };
      if (last) await run(last, inputs, weights, gradients);
      return { loss: top[PORTS.loss]![0]!, gradients };
    },
    async release() {
      for (const { graph } of Object.values(parts)) await graph.release();
      await last?.graph.release();
    },
  };
}

/** Adds `b` to `a` in place: a tied embedding has a gradient from both ends of the model. */
function sum(a: Float32Array | undefined, b: Float32Array): Float32Array {
  if (!a) return b;
  for (let index = 0; index < a.length; index++) a[index]! += b[index]!;
  return a;
}
