/** `ailo eval`: how well a model predicts a text, every token of it once, or the answers of dialogues. */
import { AiloError } from '../../shared/errors/index.ts';
import type { ScoredText } from '../../shared/generate/score.ts';
import { QUANTS } from '../../shared/graph/types.ts';
import { openAdapted } from '../../shared/model/adapter.ts';
import { loadConfig } from '../../shared/model/config.ts';
import { loadTextCodec } from '../../shared/model/text.ts';
import type { ModelConfig, ModelSource } from '../../shared/model/types.ts';
import { MAX_STAGES } from '../../shared/protocol/limits.ts';
import { ENGINES } from '../../shared/runtime/types.ts';
import { type Evaluation, Evaluator } from '../../shared/train/evaluator.ts';
import { MAX_BATCH } from '../../shared/train/limits.ts';
import { loadWeights } from '../../shared/train/load.ts';
import { answersOf, batchesOf, textPieces } from '../../shared/train/scored.ts';
import { type Cli, type Command, choice, integer, string, type Values } from '../cli.ts';
import type { ScoreRequest } from '../generate/request.ts';
import { localModel } from '../model/built-in.ts';
import { folderSource } from '../model/folder-source.ts';
import { createNodeEngine } from '../runtime/node-engine.ts';
import { tokenisedDialogues } from '../train/dialogues.ts';
import { isDialogues, readText, tokenised } from '../train/open.ts';

/** Longer sequences cost more than they tell, and memory with the square of their length. */
const DEFAULT_MAX_SEQUENCE = 512;
const DEFAULT_BATCH = 4;

export const evaluate: Command = {
  options: {
    model: { type: 'string', value: 'DIR', description: 'a folder in Hugging Face layout, or ailo-guide (required)' },
    adapter: { type: 'string', value: 'DIR', description: 'low-rank adapters (PEFT) to merge into it' },
    data: { type: 'string', value: 'FILE', description: 'a text, or .jsonl with dialogues (required)' },
    batch: { type: 'string', value: 'B', description: `sequences at once (default ${DEFAULT_BATCH})` },
    seq: {
      type: 'string',
      value: 'T',
      description: `tokens of a sequence (default: the model's context, at most ${DEFAULT_MAX_SEQUENCE})`,
    },
    quant: {
      type: 'string',
      value: 'QUANT',
      description: `through the graphs that answer, token by token: ${QUANTS.join(', ')} (default: the training graph)`,
    },
    engine: { type: 'string', value: 'ENGINE', description: `of the graphs that answer: ${ENGINES.join(', ')} (node)` },
    stages: { type: 'string', value: 'K', description: 'parts that these are split into (default 1)' },
    threads: { type: 'string', value: 'N', description: 'threads of the training graph (default 0: all cores)' },
  },

  async run(values, cli) {
    const folder = localModel(string(values, 'model'));
    const source = folderSource(folder);
    const config = await loadConfig(source, cli.signal);
    const { maxPositions } = config;
    const sequence = integer(values, 'seq', {
      ...{ min: 1, max: 2 ** 24 },
      default: Math.min(maxPositions, DEFAULT_MAX_SEQUENCE),
    });
    if (sequence > maxPositions)
      throw AiloError.of('CONTEXT_LENGTH_INVALID', { contextLength: sequence, maxPositions });
    const texts = await scoredTexts(values, source, config, sequence, cli);
    if (texts.length === 0) throw AiloError.of('TRAINING_DATA_TOO_SHORT', { tokens: 1, needed: 2 });
    const answering = values.quant !== undefined || values.engine !== undefined || values.stages !== undefined;
    const { loss, tokens } = answering
      ? await answerGraphs(folder, answerRequest(values, texts), cli)
      : await trainingGraph(values, source, config, { texts, sequence }, cli);
    const perplexity = Math.exp(loss);
    cli.print(`${tokens} tokens: loss ${loss.toFixed(4)}, perplexity ${perplexity.toFixed(3)}`);
    cli.result({ loss, perplexity, tokens });
  },
};

async function scoredTexts(
  values: Values,
  source: ModelSource,
  config: ModelConfig,
  sequence: number,
  { signal }: Cli,
): Promise<ScoredText[]> {
  const path = string(values, 'data');
  const text = await readText(path);
  if (!isDialogues(path)) return textPieces(await tokenised(source, text, config, signal), sequence);
  return answersOf(tokenisedDialogues(text, await loadTextCodec(source, signal)), sequence);
}

function answerRequest(values: Values, texts: ScoredText[]): ScoreRequest {
  return {
    texts,
    engine: choice(values, 'engine', ENGINES, 'node'),
    quant: choice(values, 'quant', QUANTS, 'f32'),
    stages: integer(values, 'stages', { min: 1, max: MAX_STAGES, default: 1 }),
    adapter: adapterOf(values),
  };
}

function adapterOf(values: Values): string | undefined {
  return values.adapter === undefined ? undefined : string(values, 'adapter');
}

async function answerGraphs(folder: string, request: ScoreRequest, { signal }: Cli): Promise<Evaluation> {
  // Loaded when needed: the browser's side takes longer to start than a small model to run.
  const run =
    request.engine === 'node'
      ? (await import('../generate/in-process.ts')).scoreInProcess
      : (await import('../generate/in-browser.ts')).scoreInBrowser;
  let [nats, tokens] = [0, 0];
  for await (const event of run(folder, request, signal)) {
    nats += event.nats;
    tokens += event.tokens;
  }
  return { loss: nats / tokens, tokens };
}

async function trainingGraph(
  values: Values,
  source: ModelSource,
  config: ModelConfig,
  { texts, sequence }: { texts: ScoredText[]; sequence: number },
  { signal }: Cli,
): Promise<Evaluation> {
  const batch = integer(values, 'batch', { min: 1, max: MAX_BATCH, default: DEFAULT_BATCH });
  const adapter = adapterOf(values);
  const reader = await openAdapted(source, adapter === undefined ? undefined : folderSource(adapter), config, signal);
  const weights = await loadWeights(config, reader, signal);
  const engine = createNodeEngine({ threads: integer(values, 'threads', { min: 0, max: 256, default: 0 }) });
  try {
    const shape = { batch, sequence };
    const evaluator = await Evaluator.create(engine, config, shape);
    return await evaluator.evaluate(weights, batchesOf(texts, shape), signal);
  } finally {
    await engine.close();
  }
}
