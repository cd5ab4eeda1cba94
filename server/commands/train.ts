/** `ailo train`: trains a model here, alone or as several workers of a federation. */

import { RULE_NAMES } from '../../shared/train/campaign/campaign.ts';
import { type Corpus, textCorpus } from '../../shared/train/corpus.ts';
import { MAX_EVALUATION_BATCHES, MAX_STEPS, MAX_WORKERS } from '../../shared/train/limits.ts';
import { parameterCount, trainedOf, valueCount } from '../../shared/train/model/model.ts';
import { ADAMW, adamW } from '../../shared/train/optimiser/adamw.ts';
import { train as runTraining, type TrainEvent } from '../../shared/train/train.ts';
import { type Cli, type Command, integer, string, type Values } from '../cli.ts';
import { createNodeEngine } from '../runtime/node-engine.ts';
import { aggregatorOf, CODECS, crossed } from '../train/aggregator.ts';
import { ATTACK_NAMES } from '../train/attackers.ts';
import { learningOf, learningOptions, MAX_GRADIENT_NORM, seedOf } from '../train/learning.ts';
import { adaptedOf, loraOptions } from '../train/lora.ts';
import { isDialogues, type OpenedModel, openForDialogues, openForTraining, readText } from '../train/open.ts';

const STEPS_BETWEEN_LINES = 50;

export const train: Command = {
  options: {
    ...learningOptions,
    data: {
      type: 'string',
      value: 'FILE',
      description: 'a text, or .jsonl with dialogues; a tenth is kept for validation (required)',
    },
    'answer-tokens': {
      type: 'string',
      value: 'N',
      description: "first tokens of a dialogue's answer that are learned (default all)",
    },
    workers: { type: 'string', value: 'K', description: 'workers, each with a part of the text (default 1)' },
    codec: {
      type: 'string',
      value: 'CODEC',
      description: `how workers' changes cross: ${CODECS.join(', ')} (default none: as they are)`,
    },
    aggregator: {
      type: 'string',
      value: 'RULE',
      description: `how they are joined: ${RULE_NAMES.join(', ')} (default mean; with a codec confirmed)`,
    },
    byzantine: {
      type: 'string',
      value: 'F:KIND',
      description: `so large a share of the workers lies: ${ATTACK_NAMES.join(', ')}`,
    },
    'eval-every': { type: 'string', value: 'N', description: 'rounds between evaluations (default 0: at the end)' },
    'eval-batches': { type: 'string', value: 'N', description: 'fixed batches of an evaluation (default 100)' },
    threads: { type: 'string', value: 'N', description: 'threads (default 0: all cores)' },
    out: { type: 'string', value: 'DIR', description: 'save the model here at every evaluation' },
    ...loraOptions,
  },

  async run(values, cli) {
    const model = string(values, 'model');
    const seed = seedOf(values);
    const data = string(values, 'data');
    const text = await readText(data);
    const tokenizer = values.tokenizer === undefined ? undefined : string(values, 'tokenizer');
    const out = values.out === undefined ? undefined : string(values, 'out');
    const wanted = { model, text, tokenizer, seed, answerTokens: answerTokensOf(values) };
    const whole = isDialogues(data)
      ? await openForDialogues(wanted, cli.signal)
      : inOnePiece(await openForTraining(wanted, cli.signal));
    const { opened, save } = adaptedOf(values, whole, wanted);
    const plan = planOf(values, opened);
    const engine = createNodeEngine({ threads: integer(values, 'threads', { min: 0, max: 256, default: 0 }) });
    try {
      const startMs = performance.now();
      const { aggregator } = plan;
      const trainedCount = valueCount(trainedOf(opened.config));
      const report = reporter(cli, async () => {
        if (out !== undefined) await save(out);
      });
      await runTraining({ ...opened, ...plan, engine, seed }, report.emit, cli.signal);
      const { workers, rounds, localSteps, shape } = plan;
      cli.result({
        model,
        parameters: parameterCount(opened.config),
        trainedParameters: trainedCount,
        workers,
        rounds,
        localSteps,
        tokens: workers * rounds * localSteps * shape.batch * shape.sequence,
        seconds: Number(((performance.now() - startMs) / 1000).toFixed(3)),
        ...report.summary(),
        ...('sent' in aggregator && crossed(aggregator, plan, trainedCount)),
        out: out ?? null,
      });
    } finally {
      await engine.close();
    }
  },
};

function answerTokensOf(values: Values): number | undefined {
  const name = 'answer-tokens';
  return values[name] === undefined ? undefined : integer(values, name, { min: 1, max: 2 ** 24, default: 1 });
}

function inOnePiece(opened: OpenedModel): OpenedModel<Corpus> {
  return { ...opened, corpus: textCorpus(opened.corpus) };
}

function planOf(values: Values, { config }: Pick<OpenedModel, 'config'>) {
  const { batch, sequence, weightDecay, outerLearningRate, ...learning } = learningOf(values, config.maxPositions);
  const workers = integer(values, 'workers', { min: 1, max: MAX_WORKERS, default: 1 });
  return {
    ...learning,
    workers,
    shape: { batch, sequence },
    optimiser: adamW({ ...ADAMW, weightDecay }),
    maxGradientNorm: MAX_GRADIENT_NORM,
    aggregator: aggregatorOf(values, workers, outerLearningRate),
    evaluateEvery: integer(values, 'eval-every', { min: 0, max: MAX_STEPS, default: 0 }),
    evaluationBatches: integer(values, 'eval-batches', { min: 1, max: MAX_EVALUATION_BATCHES, default: 100 }),
  };
}

/** Prints the training as it goes, and keeps what the result tells of it. */
function reporter(cli: Cli, save: () => Promise<void>) {
  const evaluations: { step: number; loss: number }[] = [];
  let trainingLoss = Number.NaN;
  return {
    async emit(event: TrainEvent) {
      if (event.kind === 'evaluation') {
        evaluations.push({ step: event.step, loss: event.loss });
        cli.log.info({ round: event.round + 1, validationLoss: event.loss }, 'evaluated');
        cli.print(`round ${event.round + 1}: validation loss ${event.loss.toFixed(4)}`);
        await save();
        return;
      }
      const { worker, step, loss, learningRate, gradientNorm } = event;
      trainingLoss = loss;
      if (step % STEPS_BETWEEN_LINES !== 0) return;
      const rate = learningRate.toExponential(2);
      cli.print(
        `worker ${worker + 1} step ${step}: loss ${loss.toFixed(4)}, norm ${gradientNorm.toFixed(2)}, lr ${rate}`,
      );
    },
    summary: () => ({ trainingLoss, validationLoss: evaluations.at(-1)?.loss ?? null, evaluations }),
  };
}
