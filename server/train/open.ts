import { readFile, stat } from 'node:fs/promises';
import { AiloError } from '../../shared/errors/index.ts';
import { loadConfig } from '../../shared/model/config.ts';
import { MAX_TOKENIZER_BYTES } from '../../shared/model/limits.ts';
import { memorySource } from '../../shared/model/memory-source.ts';
import { readOptional } from '../../shared/model/optional.ts';
import { loadTextCodec, tokenizerVocabSize } from '../../shared/model/text.ts';
import type { ModelConfig, ModelSource } from '../../shared/model/types.ts';
import { openWeights } from '../../shared/model/weights.ts';
import { TOKENIZER_FILES } from '../../shared/train/campaign/files.ts';
import { characterTokenizer } from '../../shared/train/characters.ts';
import type { Corpus } from '../../shared/train/corpus.ts';
import { cutOff, dialogueCorpus } from '../../shared/train/dialogues.ts';
import { initialiser } from '../../shared/train/initialise.ts';
import { MAX_TEXT_BYTES } from '../../shared/train/limits.ts';
import { loadWeights } from '../../shared/train/load.ts';
import { parametersOf } from '../../shared/train/model/model.ts';
import { PRESET_NAMES, PRESETS, type PresetName } from '../../shared/train/presets.ts';
import { memoryStore, type TensorStore } from '../../shared/train/store.ts';
import { usage } from '../cli.ts';
import { folderSource } from '../model/folder-source.ts';
import { tokenisedDialogues } from './dialogues.ts';

/** Presets whose vocabulary is that of their tokenizer. */
const ADAPTING_PRESETS: PresetName[] = ['nano-char', 'ailo-guide'];

export interface OpenedModel<Learned = Int32Array> {
  config: ModelConfig;
  weights: TensorStore;
  corpus: Learned;
  /** Of the tokenizer, by path. */
  files: Record<string, Uint8Array>;
}

export interface Wanted {
  /** A preset, which begins anew, or a folder, which goes on. */
  model: string;
  text: string;
  /** Of the answer of a dialogue, the tokens that are learned; all without one. */
  answerTokens?: number | undefined;
  /** A folder with the tokenizer for a preset; its text's characters without one. */
  tokenizer?: string | undefined;
  seed: number;
}

/** A model to train and the text as its tokens. Throws USAGE, TRAINING_TOKEN_UNKNOWN and the errors of reading a model. */
export async function openForTraining(wanted: Wanted, signal: AbortSignal): Promise<OpenedModel> {
  const { source, ...model } = await openModel(wanted, false, signal);
  return { ...model, corpus: await tokenised(source, wanted.text, model.config, signal) };
}

/** As `openForTraining`, where the text is lines of dialogues. */
export async function openForDialogues(wanted: Wanted, signal: AbortSignal): Promise<OpenedModel<Corpus>> {
  const { source, ...model } = await openModel(wanted, true, signal);
  const dialogues = tokenisedDialogues(wanted.text, await loadTextCodec(source, signal));
  for (const { tokens } of dialogues) requireKnown(tokens, model.config);
  const { answerTokens } = wanted;
  const learned = answerTokens === undefined ? dialogues : dialogues.map((dialogue) => cutOff(dialogue, answerTokens));
  return { ...model, corpus: dialogueCorpus(learned) };
}

async function openModel(
  wanted: Wanted,
  isDialogues: boolean,
  signal: AbortSignal,
): Promise<Omit<OpenedModel, 'corpus'> & { source: ModelSource }> {
  const { model, tokenizer, seed } = wanted;
  const preset = PRESET_NAMES.find((name) => name === model);
  if (preset === undefined) {
    if (tokenizer !== undefined) throw usage('--tokenizer is for presets; a model in a folder has its own');
    const source = folderSource(model);
    const config = await loadConfig(source, signal);
    const weights = await loadWeights(config, await openWeights(source, signal), signal);
    return { source, config, weights, files: await tokenizerFiles(source, signal) };
  }
  const { source, config } = await presetOf(preset, wanted, isDialogues, signal);
  const weights = memoryStore(parametersOf(config), initialiser(seed));
  return { source, config, weights, files: await tokenizerFiles(source, signal) };
}

/** Whether a file holds dialogues, one a line. */
export function isDialogues(path: string): boolean {
  return path.endsWith('.jsonl');
}

/** A text file. Throws USAGE where there is none or it is too large. */
export async function readText(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > MAX_TEXT_BYTES) throw usage(`--data has ${size} bytes, more than the ${MAX_TEXT_BYTES} allowed`);
    const text = await readFile(path, 'utf8');
    if (text === '') throw usage('--data is empty');
    return text;
  } catch (error) {
    if (error instanceof AiloError) throw error;
    throw usage(`--data: ${(error as Error).message}`);
  }
}

/** The text as tokens of the source's tokenizer. Throws TRAINING_TOKEN_UNKNOWN. */
export async function tokenised(
  source: ModelSource,
  text: string,
  config: ModelConfig,
  signal: AbortSignal,
): Promise<Int32Array> {
  const tokens = Int32Array.from((await loadTextCodec(source, signal)).encodePrompt(text));
  requireKnown(tokens, config);
  return tokens;
}

function requireKnown(tokens: Int32Array, { vocabSize }: ModelConfig): void {
  const unknown = tokens.find((token) => token >= vocabSize);
  if (unknown !== undefined) throw AiloError.of('TRAINING_TOKEN_UNKNOWN', { token: unknown, vocabSize });
}

/** The tokenizer's files of a model, by path. */
export async function tokenizerFiles(source: ModelSource, signal?: AbortSignal): Promise<Record<string, Uint8Array>> {
  const files: Record<string, Uint8Array> = {};
  for (const path of TOKENIZER_FILES) {
    const bytes = await readOptional(source, path, MAX_TOKENIZER_BYTES, signal);
    if (bytes) files[path] = bytes;
  }
  return files;
}

/** The preset with its tokenizer; the small ones take over that one's vocabulary and end of a text. */
async function presetOf(
  preset: PresetName,
  { text, tokenizer }: Wanted,
  isDialogues: boolean,
  signal: AbortSignal,
): Promise<{ source: ModelSource; config: ModelConfig }> {
  const config = PRESETS[preset];
  const adapts = ADAPTING_PRESETS.includes(preset);
  if (tokenizer === undefined) {
    if (!adapts || isDialogues) {
      throw usage(`--tokenizer is required for ${isDialogues ? 'dialogues' : preset}`);
    }
    const { json, vocabSize } = characterTokenizer(text);
    const file = new TextEncoder().encode(JSON.stringify(json));
    return { source: memorySource({ 'tokenizer.json': file }), config: { ...config, vocabSize } };
  }
  const source = folderSource(tokenizer);
  const vocabSize = tokenizerVocabSize(await source.readFile('tokenizer.json', MAX_TOKENIZER_BYTES));
  if (!adapts) return { source, config };
  const { eosToken } = await loadTextCodec(source, signal);
  return { source, config: { ...config, vocabSize, eosTokens: eosToken === undefined ? [] : [eosToken] } };
}
