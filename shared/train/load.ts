import { AiloError } from '../errors/index.ts';
import type { ModelConfig, WeightReader } from '../model/types.ts';
import { parametersOf } from './model/model.ts';
import { memoryStore, type TensorStore } from './store.ts';

/** A model's weights as float32 in memory. Throws TENSOR_MISSING, TENSOR_INVALID and the source's errors. */
export async function loadWeights(
  config: ModelConfig,
  weights: WeightReader,
  signal?: AbortSignal,
): Promise<TensorStore> {
  const parameters = parametersOf(config);
  const values = new Map<string, Float32Array>();
  for (const { name, shape } of parameters) {
    const stored = weights.info(name).shape;
    if (stored.join() !== shape.join()) {
      const reason = `its shape is [${stored}] where the configuration needs [${shape}]`;
      throw AiloError.of('TENSOR_INVALID', { name, reason });
    }
    values.set(name, await weights.readFloat32(name, signal));
  }
  return memoryStore(parameters, ({ name }) => values.get(name)!);
}
