/** Models of given shapes with random weights: speed depends on the shape alone. */

export interface Shape {
  layers: number;
  hiddenSize: number;
  intermediateSize: number;
  heads: number;
  kvHeads: number;
  vocabSize: number;
  /** Of the room. */
  contextLength: number;
  /** Of each answer. */
  tokens: number;
  rounds: number;
}

export const SHAPES = {
  /** Qwen1.5-1.8B, in every measure. */
  'qwen-1.8b': {
    ...{ layers: 24, hiddenSize: 2048, intermediateSize: 5504, heads: 16, kvHeads: 16, vocabSize: 151_936 },
    ...{ contextLength: 512, tokens: 32, rounds: 5 },
  },
  tiny: {
    ...{ layers: 4, hiddenSize: 64, intermediateSize: 128, heads: 4, kvHeads: 2, vocabSize: 512 },
    ...{ contextLength: 128, tokens: 100, rounds: 2 },
  },
} satisfies Record<string, Shape>;

/** Rows as wide as those of Qwen1.5-1.8B in a model that is quickly written: for the way between stages alone. */
export const HOP_SHAPE: Shape = {
  ...{ layers: 2, hiddenSize: 2048, intermediateSize: 16, heads: 16, kvHeads: 1, vocabSize: 256 },
  ...{ contextLength: 512, tokens: 300, rounds: 1 },
};
