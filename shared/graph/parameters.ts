import type { ModelConfig } from '../model/types.ts';
import { record } from './stage.ts';
import type { Unit } from './types.ts';

/** Weights of the model, a head that is the embedding again counted once. Layers are alike: one is looked at. */
export function parameterCount(config: ModelConfig): number {
  const { layers, tiedHead } = config;
  const kinds: [Unit, number][] = [
    [{ kind: 'embedding' }, 1],
    [{ kind: 'attention', layer: 0 }, layers],
    [{ kind: 'mlp', layer: 0 }, layers],
    [{ kind: 'head' }, 1],
  ];
  return kinds.reduce((sum, [unit, times]) => {
    const { weights } = record(config, [unit], { quant: 'f32', contextLength: 1 }).graph;
    const counted = weights.filter(({ recipe: { kind } }) => {
      const isEmbeddingAgain = unit.kind === 'head' && tiedHead && kind === 'matrix';
      return kind !== 'rope' && !isEmbeddingAgain;
    });
    return sum + times * counted.reduce((bytes, { byteLength }) => bytes + byteLength / 4, 0);
  }, 0);
}
