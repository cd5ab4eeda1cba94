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
  const parameters = parametersOf(config).map(asLoudAsTrained);
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
