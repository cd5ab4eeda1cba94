/** The models that are measured: true shapes, random weights by seed, so that nothing is downloaded. */
import { parseConfig } from '../../../shared/model/config.ts';
import type { ModelConfig, TensorInfo, WeightReader } from '../../../shared/model/types.ts';
import { seededRandom } from '../../../shared/sampler/random.ts';
import { parametersOf } from '../../../shared/train/model/model.ts';

export const SOLO_MODELS = ['gpt2-124m', 'qwen2.5-0.5b'] as const;
export type SoloModel = (typeof SOLO_MODELS)[number];

/** The published `config.json`, as far as it says shapes; without an end token, so that no text ends early. */
export const CONFIG_FILES: Readonly<Record<SoloModel, Record<string, unknown>>> = {
  'gpt2-124m': {
    model_type: 'gpt2',
    architectures: ['GPT2LMHeadModel'],
    ...{ n_embd: 768, n_layer: 12, n_head: 12, vocab_size: 50_257, n_positions: 1024 },
  },
  'qwen2.5-0.5b': {
    model_type: 'qwen2',
    architectures: ['Qwen2ForCausalLM'],
    ...{ hidden_size: 896, intermediate_size: 4864, num_hidden_layers: 24, vocab_size: 151_936 },
    ...{ num_attention_heads: 14, num_key_value_heads: 2, max_position_embeddings: 32_768 },
    ...{ rms_norm_eps: 1e-6, rope_theta: 1_000_000, hidden_act: 'silu', tie_word_embeddings: true },
  },
};

export function configOf(model: SoloModel): ModelConfig {
  return parseConfig(CONFIG_FILES[model]);
}

/** Half the width of the uniform distribution with GPT-2's standard deviation of 0.02. */
const SPREAD = 0.02 * Math.sqrt(3);

/** More than a matrix of these models has. */
const MAX_ROWS = 2 ** 18;

/** Weights that depend on the seed, the tensor and the row only. Vectors that scale a norm lie around 1. */
export function seededWeights(config: ModelConfig, seed: number): WeightReader {
  const parameters = parametersOf(config);
  const find = (name: string) => parameters.findIndex((parameter) => parameter.name === name);
  const info = (name: string): TensorInfo => {
    const found = parameters[find(name)];
    if (!found) throw new RangeError(`the model has no tensor ${name}`);
    return { path: '', dtype: 'F32', shape: [...found.shape], start: 0, end: 0 };
  };
  /** A vector is one row. */
  const rows = (name: string, start: number, end: number): Float32Array => {
    const { shape } = info(name);
    const width = shape.at(-1)!;
    const centre = shape.length === 1 && name.endsWith('.weight') ? 1 : 0;
    const values = new Float32Array((end - start) * width);
    for (let row = start; row < end; row++) {
      const random = seededRandom(seed + find(name) * MAX_ROWS + row);
      const at = (row - start) * width;
      for (let i = 0; i < width; i++) values[at + i] = centre + SPREAD * (random() / 2 ** 31 - 1);
    }
    return values;
  };
  const all = (name: string) => rows(name, 0, info(name).shape.length === 1 ? 1 : info(name).shape[0]!);
  return {
    has: (name) => find(name) >= 0,
    info,
    readFloat32: async (name) => all(name),
    readFloat32Rows: async (name, start, end) =>
      info(name).shape.length === 1 ? all(name).slice(start, end) : rows(name, start, end),
  };
}

/** Multiplications and additions of the matrices for a prompt whose last position alone gets logits. */
export function prefillFlops({ config, tokens }: { config: ModelConfig; tokens: number }): number {
  let perToken = 0;
  for (const { name, shape } of parametersOf(config)) {
    const table = /(wte|wpe|embed_tokens|lm_head)\.weight$/.test(name);
    if (shape.length === 2 && !table) perToken += 2 * shape[0]! * shape[1]!;
  }
  return tokens * perToken + 2 * config.hiddenSize * config.vocabSize;
}
