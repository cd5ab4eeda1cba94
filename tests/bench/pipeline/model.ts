import { mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { seededRandom } from '../../../shared/sampler/random.ts';
import type { Shape } from './shapes.ts';

/** Weights repeat after so many; a prime number of them, so that no two rows of a matrix are alike. */
const PERIOD = 4_194_301;
const PIECE_BYTES = 32 * 2 ** 20;
/** Exponents of bfloat16 from 2⁻¹⁰ to 2⁻⁷. */
const EXPONENTS = [117, 118, 119, 120];
const ONE = 0x3f80;

/** Writes a model of the qwen2 family in Hugging Face layout, bfloat16, into a new folder. */
export async function writeModel(folder: string, shape: Shape, seed: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'config.json'), JSON.stringify(configOf(shape)));
  await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(TOKENIZER));
  const tensors = tensorsOf(shape);
  const header: Record<string, object> = {};
  let end = 0;
  for (const [name, dims] of tensors) {
    const start = end;
    end += 2 * dims.reduce((product, size) => product * size, 1);
    header[name] = { dtype: 'BF16', shape: dims, data_offsets: [start, end] };
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(json.length), true);
  const file = await open(join(folder, 'model.safetensors'), 'w');
  try {
    await file.write(length);
    await file.write(json);
    const pool = poolOf(seed);
    let at = 0;
    for (const [name, dims] of tensors) {
      const count = dims.reduce((product, size) => product * size, 1);
      const isNorm = name.endsWith('norm.weight');
      for (let written = 0; written < count; ) {
        const piece = Math.min(count - written, PIECE_BYTES / 2, PERIOD - (at % PERIOD));
        const start = at % PERIOD;
        await file.write(bytesOf(isNorm ? new Uint16Array(piece).fill(ONE) : pool.subarray(start, start + piece)));
        written += piece;
        at += piece;
      }
    }
  } finally {
    await file.close();
  }
}

function configOf(shape: Shape): object {
  return {
    model_type: 'qwen2',
    hidden_size: shape.hiddenSize,
    intermediate_size: shape.intermediateSize,
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.heads,
    num_key_value_heads: shape.kvHeads,
    vocab_size: shape.vocabSize,
    max_position_embeddings: shape.contextLength,
    tie_word_embeddings: false,
    rms_norm_eps: 1e-6,
  };
}

function tensorsOf({ layers, hiddenSize, intermediateSize, heads, kvHeads, vocabSize }: Shape): [string, number[]][] {
  const kvSize = (hiddenSize / heads) * kvHeads;
  const tensors: [string, number[]][] = [['model.embed_tokens.weight', [vocabSize, hiddenSize]]];
  for (let layer = 0; layer < layers; layer++) {
    const from = `model.layers.${layer}`;
    const sizes = { q: hiddenSize, k: kvSize, v: kvSize };
    tensors.push([`${from}.input_layernorm.weight`, [hiddenSize]]);
    for (const [part, size] of Object.entries(sizes)) {
      tensors.push([`${from}.self_attn.${part}_proj.weight`, [size, hiddenSize]]);
    }
    for (const [part, size] of Object.entries(sizes)) tensors.push([`${from}.self_attn.${part}_proj.bias`, [size]]);
    tensors.push([`${from}.self_attn.o_proj.weight`, [hiddenSize, hiddenSize]]);
    tensors.push([`${from}.post_attention_layernorm.weight`, [hiddenSize]]);
    for (const part of ['gate', 'up'])
      tensors.push([`${from}.mlp.${part}_proj.weight`, [intermediateSize, hiddenSize]]);
    tensors.push([`${from}.mlp.down_proj.weight`, [hiddenSize, intermediateSize]]);
  }
  return [...tensors, ['model.norm.weight', [hiddenSize]], ['lm_head.weight', [vocabSize, hiddenSize]]];
}

/** bfloat16: random signs and fractions, small exponents. */
function poolOf(seed: number): Uint16Array {
  const random = seededRandom(seed);
  const pool = new Uint16Array(PERIOD);
  for (let i = 0; i < PERIOD; i++) {
    const bits = random();
    pool[i] = ((bits >>> 31) << 15) | (EXPONENTS[(bits >>> 8) & 3]! << 7) | (bits & 0x7f);
  }
  return pool;
}

function bytesOf(values: Uint16Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
/** A letter, a token. */
const TOKENIZER = {
  version: '1.0',
  added_tokens: [],
  normalizer: null,
  pre_tokenizer: null,
  post_processor: null,
  decoder: null,
  model: { type: 'BPE', vocab: Object.fromEntries([...LETTERS].map((letter, id) => [letter, id])), merges: [] },
};

/** A prompt of so many tokens, another for each `index`. */
export function promptOf(tokens: number, index: number): string {
  return Array.from({ length: tokens }, (_, at) => LETTERS[(7 * at + 3 * index + at * index) % LETTERS.length]).join(
    '',
  );
}
