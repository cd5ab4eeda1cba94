import type { ModelConfig } from '../model/types.ts';

export const PRESET_NAMES = ['nano-char', 'ailo-guide', 'gpt2-124m', 'ailo-840m'] as const;
export type PresetName = (typeof PRESET_NAMES)[number];

function gpt2(sizes: Pick<ModelConfig, 'layers' | 'heads' | 'hiddenSize' | 'maxPositions' | 'vocabSize'>): ModelConfig {
  const { heads, hiddenSize } = sizes;
  return {
    ...sizes,
    ...{ family: 'gpt2', intermediateSize: 4 * hiddenSize, kvHeads: heads, headDim: hiddenSize / heads },
    ...{ normEpsilon: 1e-5, activation: 'gelu_tanh', tiedHead: true, eosTokens: [] },
  };
}

/** Vocabulary and context of GPT-2's tokenizer. */
const GPT2_VOCABULARY = 50_257;

/** The models that Ailo trains from nothing. The vocabulary of the small ones becomes that of their tokenizer. */
export const PRESETS: Readonly<Record<PresetName, ModelConfig>> = {
  /** nanoGPT's setting for a CPU: characters of Shakespeare in minutes. */
  'nano-char': gpt2({ layers: 4, heads: 4, hiddenSize: 128, maxPositions: 64, vocabSize: 65 }),
  /** The model that ships with Ailo: 2.3 million parameters, 4.6 MB as binary16. */
  'ailo-guide': {
    ...{ family: 'llama', layers: 4, hiddenSize: 192, intermediateSize: 640, heads: 6, kvHeads: 3, headDim: 32 },
    ...{ vocabSize: 2048, maxPositions: 256, normEpsilon: 1e-5, activation: 'silu', rope: { theta: 10_000 } },
    ...{ tiedHead: true, eosTokens: [] },
  },
  'gpt2-124m': gpt2({ layers: 12, heads: 12, hiddenSize: 768, maxPositions: 1024, vocabSize: GPT2_VOCABULARY }),
  /** The reference of federated training: 821,470,400 parameters. */
  'ailo-840m': gpt2({ layers: 24, heads: 25, hiddenSize: 1600, maxPositions: 2048, vocabSize: GPT2_VOCABULARY }),
};
