/** `ailo generate`: runs a model here, split into stages. */
import { type FileHandle, open } from 'node:fs/promises';
import { AiloError } from '../../shared/errors/index.ts';
import { QUANTS } from '../../shared/graph/types.ts';
import { loadConfig } from '../../shared/model/config.ts';
import { loadTextCodec } from '../../shared/model/text.ts';
import type { ModelSource, TextCodec } from '../../shared/model/types.ts';
import { MAX_NEW_TOKENS, MAX_PROMPT_TOKENS, MAX_STAGES } from '../../shared/protocol/limits.ts';
import { ENGINES, type Engine } from '../../shared/runtime/types.ts';
import { GREEDY, type Sampling } from '../../shared/sampler/types.ts';
import { type Cli, type Command, choice, integer, number, string, usage, type Values } from '../cli.ts';
import type { GenerateRequest, RunGenerate } from '../generate/request.ts';
import { localModel } from '../model/built-in.ts';
import { folderSource } from '../model/folder-source.ts';

export const generate: Command = {
  options: {
    model: { type: 'string', value: 'DIR', description: 'a folder in Hugging Face layout, or ailo-guide (required)' },
    adapter: { type: 'string', value: 'DIR', description: 'low-rank adapters (PEFT) to merge into it' },
    prompt: { type: 'string', value: 'TEXT', description: 'the text to continue (default: empty)' },
    chat: { type: 'string', value: 'TEXT', description: "a question instead, put by the model's chat template" },
    tokens: { type: 'string', value: '1,2,3', description: 'the prompt as token ids instead' },
    'max-new-tokens': { type: 'string', value: 'N', description: 'tokens to generate (default 64)' },
    greedy: { type: 'boolean', description: 'always take the likeliest token (the default without --temperature)' },
    temperature: { type: 'string', value: 'T', description: '0 (greedy) to 2' },
    'top-k': { type: 'string', value: 'K', description: 'sample among the K likeliest; 0 (default) among all' },
    'top-p': { type: 'string', value: 'P', description: 'sample among the likeliest that make up P (default 1)' },
    'repetition-penalty': { type: 'string', value: 'R', description: '0.5 to 2; 1 (default) is none' },
    seed: { type: 'string', value: 'S', description: 'of the sampling (default 0)' },
    stages: { type: 'string', value: 'K', description: 'parts that the model is split into (default 1)' },
    engine: { type: 'string', value: 'ENGINE', description: `${ENGINES.join(', ')} (default node)` },
    quant: { type: 'string', value: 'QUANT', description: `${QUANTS.join(', ')} (default f32)` },
    logits: { type: 'string', value: 'FILE', description: 'write the float32 logits of every generated position' },
  },

  async run(values, cli) {
    const folder = localModel(string(values, 'model'));
    const settings = {
      maxNewTokens: integer(values, 'max-new-tokens', { min: 1, max: MAX_NEW_TOKENS, default: 64 }),
      stages: integer(values, 'stages', { min: 1, max: MAX_STAGES, default: 1 }),
      engine: choice(values, 'engine', ENGINES, 'node'),
      quant: choice(values, 'quant', QUANTS, 'f32'),
      sampling: samplingOf(values),
      adapter: values.adapter === undefined ? undefined : string(values, 'adapter'),
    };
    const source = folderSource(folder);
    const { vocabSize } = await loadConfig(source, cli.signal);
    const codec = await codecOf(source, values, cli.signal);
    const tokens = codec && values.tokens === undefined ? promptTokens(values, codec) : ids(values, vocabSize);
    const logits = values.logits === undefined ? undefined : await create(string(values, 'logits'));
    try {
      const request = { ...settings, tokens, withLogits: logits !== undefined };
      await show(folder, request, { codec, logits }, cli);
    } finally {
      await logits?.close();
    }
  },
};

/** Runs the request, prints the text as it comes and the result at the end. */
async function show(
  folder: string,
  request: GenerateRequest,
  { codec, logits }: { codec: TextCodec | undefined; logits: FileHandle | undefined },
  cli: Cli,
): Promise<void> {
  const { tokens: prompt, stages, engine } = request;
  const run = await runnerOf(engine);
  const decoder = codec?.stream(prompt);
  const tokens: number[] = [];
  let text = '';
  const emit = (piece: string) => {
    text += piece;
    if (!cli.json) process.stdout.write(piece);
  };
  for await (const event of run(folder, request, cli.signal)) {
    if (event.kind === 'token') {
      tokens.push(event.token);
      if (event.logits) await logits?.write(bytesOf(event.logits));
      emit(decoder ? decoder.push(event.token) : `${tokens.length > 1 ? ',' : ''}${event.token}`);
      continue;
    }
    emit(decoder?.end() ?? '');
    const { prefillMs, decodeTokensPerSecond } = event;
    cli.print('');
    cli.result({ tokens, text: codec ? text : null, stages, engine, prefillMs, decodeTokensPerSecond });
  }
}

/** Loaded when needed: the browser's side takes longer to start than a small model to run. */
async function runnerOf(engine: Engine): Promise<RunGenerate> {
  return engine === 'node'
    ? (await import('../generate/in-process.ts')).generateInProcess
    : (await import('../generate/in-browser.ts')).generateInBrowser;
}

/** A model without tokenizer can only be asked in token ids, and answers in them. */
async function codecOf(source: ModelSource, values: Values, signal: AbortSignal): Promise<TextCodec | undefined> {
  try {
    return await loadTextCodec(source, signal);
  } catch (error) {
    if (values.tokens !== undefined && error instanceof AiloError && error.code === 'MODEL_FILE_MISSING') return;
    throw error;
  }
}

/** Throws USAGE, PROMPT_EMPTY, CHAT_TEMPLATE_INVALID. */
function promptTokens(values: Values, codec: TextCodec): number[] {
  if (values.chat === undefined) return codec.encodePrompt(string(values, 'prompt', ''));
  if (values.prompt !== undefined) throw usage('--prompt and --chat exclude each other');
  return codec.encodeChat([{ role: 'user', content: string(values, 'chat') }]);
}

/** `--tokens 1,2,3`. Throws USAGE. */
function ids(values: Values, vocabSize: number): number[] {
  if (values.prompt !== undefined || values.chat !== undefined)
    throw usage('--prompt, --chat and --tokens exclude each other');
  const parts = string(values, 'tokens').split(',');
  if (parts.length > MAX_PROMPT_TOKENS) throw usage(`--tokens has more than ${MAX_PROMPT_TOKENS} ids`);
  return parts.map((part) => {
    const id = /^\s*\d{1,9}\s*$/.test(part) ? Number(part) : -1;
    if (id < 0 || id >= vocabSize) throw usage(`--tokens must be ids from 0 to ${vocabSize - 1}, separated by commas`);
    return id;
  });
}

function samplingOf(values: Values): Sampling {
  if (values.greedy && values.temperature !== undefined) {
    throw usage('--greedy and --temperature exclude each other');
  }
  return {
    temperature: number(values, 'temperature', { min: 0, max: 2, default: GREEDY.temperature }),
    topK: integer(values, 'top-k', { min: 0, max: 2 ** 31, default: GREEDY.topK }),
    topP: number(values, 'top-p', { min: 0, max: 1, default: GREEDY.topP }),
    repetitionPenalty: number(values, 'repetition-penalty', { min: 0.5, max: 2, default: GREEDY.repetitionPenalty }),
    seed: integer(values, 'seed', { min: 0, max: 2 ** 32 - 1, default: GREEDY.seed }),
  };
}

async function create(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'w');
  } catch (error) {
    throw usage(`--logits: ${(error as Error).message}`);
  }
}

function bytesOf(array: Float32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
