/** `ailo eval`: how well a model predicts a text, every token of it once. */
import { AiloError } from '../../shared/errors/index.ts';
import { loadConfig } from '../../shared/model/config.ts';
import { openWeights } from '../../shared/model/weights.ts';
import { wholeText } from '../../shared/train/data.ts';
import { Evaluator } from '../../shared/train/evaluator.ts';
import { MAX_BATCH } from '../../shared/train/limits.ts';
import { loadWeights } from '../../shared/train/load.ts';
import { type Command, integer, string } from '../cli.ts';
import { folderSource } from '../model/folder-source.ts';
import { createNodeEngine } from '../runtime/node-engine.ts';
import { readText, tokenised } from '../train/open.ts';

/** Longer sequences cost more than they tell, and memory with the square of their length. */
const DEFAULT_MAX_SEQUENCE = 512;
const DEFAULT_BATCH = 4;

export const evaluate: Command = {
  options: {
    model: { type: 'string', value: 'DIR', description: 'folder of a model in Hugging Face layout (required)' },
    data: { type: 'string', value: 'FILE', description: 'the text (required)' },
    batch: { type: 'string', value: 'B', description: `sequences at once (default ${DEFAULT_BATCH})` },
    seq: {
      type: 'string',
      value: 'T',
      description: `tokens of a sequence (default: the model's context, at most ${DEFAULT_MAX_SEQUENCE})`,
    },
    threads: { type: 'string', value: 'N', description: 'threads (default 0: all cores)' },
  },

  async run(values, cli) {
    const source = folderSource(string(values, 'model'));
    const config = await loadConfig(source, cli.signal);
    const { maxPositions } = config;
    const sequence = integer(values, 'seq', {
      ...{ min: 1, max: 2 ** 24 },
      default: Math.min(maxPositions, DEFAULT_MAX_SEQUENCE),
    });
    if (sequence > maxPositions)
      throw AiloError.of('CONTEXT_LENGTH_INVALID', { contextLength: sequence, maxPositions });
    const batch = integer(values, 'batch', { min: 1, max: MAX_BATCH, default: DEFAULT_BATCH });
    const corpus = await tokenised(source, await readText(string(values, 'data')), config, cli.signal);
    if (corpus.length < 2) throw AiloError.of('TRAINING_DATA_TOO_SHORT', { tokens: corpus.length, needed: 2 });
    const weights = await loadWeights(config, await openWeights(source, cli.signal), cli.signal);
    const engine = createNodeEngine({ threads: integer(values, 'threads', { min: 0, max: 256, default: 0 }) });
    try {
      const shape = { batch, sequence };
      const evaluator = await Evaluator.create(engine, config, shape);
      const { loss, tokens } = await evaluator.evaluate(weights, wholeText(corpus, shape), cli.signal);
      const perplexity = Math.exp(loss);
      cli.print(`${tokens} tokens: loss ${loss.toFixed(4)}, perplexity ${perplexity.toFixed(3)}`);
      cli.result({ loss, perplexity, tokens });
    } finally {
      await engine.close();
    }
  },
};
