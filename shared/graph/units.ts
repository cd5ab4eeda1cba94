import type { ModelConfig } from '../model/types.ts';
import type { Unit } from './types.ts';

/** The placement units of a model, in the order of execution: 2 · layers + 2. */
export function units({ layers }: ModelConfig): Unit[] {
  const halves = Array.from({ length: layers }, (_, layer): Unit[] => [
    { kind: 'attention', layer },
    { kind: 'mlp', layer },
  ]);
  return [{ kind: 'embedding' }, ...halves.flat(), { kind: 'head' }];
}

/**
 * FLOPs per token of a unit's matrices: two for each weight. What grows with the text (scores against the KV cache) is
 * left out, since it's the same for all attention units; the embedding looks up a row, so it counts that row.
 */
export function unitCost(config: ModelConfig, unit: Unit): number {
  const { hiddenSize, heads, kvHeads, headDim, intermediateSize, vocabSize } = config;
  switch (unit.kind) {
    case 'embedding':
      return hiddenSize;
    case 'attention':
      return 2 * hiddenSize * headDim * (2 * heads + 2 * kvHeads);
    case 'mlp':
      return 2 * hiddenSize * intermediateSize * (config.family === 'gpt2' ? 2 : 3);
    case 'head':
      return 2 * hiddenSize * vocabSize;
  }
}
