/** A model with the shape of another and random weights, as a folder in Hugging Face layout. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelConfig } from '../../shared/model/types.ts';
import { seededRandom } from '../../shared/sampler/random.ts';
import { configJson, safetensorsHeader } from '../../shared/train/hugging-face.ts';
import { initialiser } from '../../shared/train/initialise.ts';
import type { Parameter } from '../../shared/train/model/family.ts';
import { DEVIATION } from '../../shared/train/model/family.ts';
import { parametersOf } from '../../shared/train/model/model.ts';

/** Token `id` of a made-up model is this character. */
const FIRST_CHARACTER = 0x4e00;
const characterOf = (id: number) => String.fromCodePoint(FIRST_CHARACTER + id);

/** Writes the model; its weights are the same for the same configuration and seed. */
export async function writeMadeUpModel(folder: string, config: ModelConfig, seed: number): Promise<void> {
  const parameters = tensorsOf(config).map(asLoudAsTrained);
  const make = initialiser(seed);
  const tensors = parameters.map((parameter) => new Uint8Array(make(parameter).buffer));
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'config.json'), JSON.stringify(configJson(config)));
  await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(characters(config.vocabSize)));
  await writeFile(join(folder, 'model.safetensors'), [safetensorsHeader(parameters), ...tensors]);
}

/** A text of `length` tokens for such a model. */
export function madeUpPrompt(length: number, vocabSize: number, seed: number): string {
  const random = seededRandom(seed);
  return Array.from({ length }, () => characterOf(random() % vocabSize)).join('');
}

/** A mixture has Llama's tensors but those of the MLP, of which each expert has its own, and a router. */
function tensorsOf(config: ModelConfig): Parameter[] {
  const { experts, hiddenSize } = config;
  if (!experts) return parametersOf(config);
  return parametersOf({ ...config, family: 'llama' }).flatMap((parameter): Parameter[] => {
    const match = /^(.*)\.mlp\.(gate|up|down)_proj\.weight$/.exec(parameter.name);
    if (!match) return [parameter];
    const from = `${match[1]}.block_sparse_moe`;
    const matrix = { gate: 'w1', up: 'w3', down: 'w2' }[match[2] as 'gate' | 'up' | 'down'];
    const all = Array.from({ length: experts.count }, (_, expert) => `${from}.experts.${expert}.${matrix}.weight`);
    const router = { ...parameter, name: `${from}.gate.weight`, shape: [experts.count, hiddenSize] };
    return [...(matrix === 'w1' ? [router] : []), ...all.map((name) => ({ ...parameter, name }))];
  });
}

/**
 * Values that neither grow nor fade from layer to layer (Glorot and Bengio 2010), so that each layer has its say in the
 * next token. What training begins with is too quiet for that.
 */
function asLoudAsTrained(parameter: Parameter): Parameter {
  const { init, shape } = parameter;
  if ('constant' in init) return parameter;
  return { ...parameter, init: { deviation: (init.deviation / DEVIATION) * shape.at(-1)! ** -0.5 } };
}

/** A tokenizer of single characters. */
function characters(vocabSize: number): object {
  const vocab = Object.fromEntries(Array.from({ length: vocabSize }, (_, id) => [characterOf(id), id]));
  return {
    version: '1.0',
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: { type: 'Fuse' },
    model: { type: 'BPE', vocab, merges: [] },
  };
}
