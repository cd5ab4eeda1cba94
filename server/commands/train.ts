/** `ailo train`: trains a model here, alone or as several workers of a federation. */
import { AiloError } from '../../shared/errors/index.ts';
import { MAX_BATCH, MAX_EVALUATION_BATCHES, MAX_STEPS, MAX_WORKERS } from '../../shared/train/limits.ts';
import { parameterCount } from '../../shared/train/model/model.ts';
import { ADAMW, adamW } from '../../shared/train/optimiser/adamw.ts';
import { PRESET_NAMES } from '../../shared/train/presets.ts';
import { train as runTraining, type TrainEvent } from '../../shared/train/train.ts';
import { type Cli, type Command, integer, number, string, type Values } from '../cli.ts';
import { createNodeEngine } from '../runtime/node-engine.ts';
import { aggregatorOf, CODECS, crossed, RULE_NAMES } from '../train/aggregator.ts';
import { isDialogues, type OpenedModel, openForTraining, readText } from '../train/open.ts';
import { saveModel } from '../train/save.ts';

const DEFAULTS = { rounds: 20, localSteps: 100, batch: 12, learningRate: 1e-3, warmupShare: 0.05, maxWarmup: 100 };
/** The global norm that gradients are clipped to. */
const MAX_GRADIENT_NORM = 1;
const STEPS_BETWEEN_LINES = 50;

export const train: Command = {
  options: {
    model: {
      type: 'string',
      value: 'MODEL',
      description: `${PRESET_NAMES.join(', ')}, or the folder of a model to go on with (required)`,
    },
    data: {
      type: 'string',
      value: 'FILE',
      description: 'a text, or .jsonl with dialogues; a tenth is kept for validation (required)',
    },
    tokenizer: { type: 'string', value: 'DIR', description: "a preset's tokenizer (default: the text's characters)" },
    workers: { type: 'string', value: 'K', description: 'workers, each with a part of the text (default 1)' },
    rounds: { type: 'string', value: 'R', description: `rounds of local steps (default ${DEFAULTS.rounds})` },
    'local-steps': { type: 'string', value: 'H', description: `steps of a round (default ${DEFAULTS.localSteps})` },
    batch: { type: 'string', value: 'B', description: `sequences of a step (default ${DEFAULTS.batch})` },
    seq: { type: 'string', value: 'T', description: "tokens of a sequence (default: the model's context)" },
    lr: { type: 'string', value: 'X', description: `learning rate (default ${DEFAULTS.learningRate})` },
    'min-lr': { type: 'string', value: 'X', description: 'learning rate at the end (default a tenth of --lr)' },
    warmup: {
      type: 'string',
      value: 'N',
      description: 'steps until --lr is reached (default a twentieth, at most 100)',
    },
    'weight-decay': { type: 'string', value: 'X', description: `of matrices (default ${ADAMW.weightDecay})` },
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
    'outer-lr': { type: 'string', value: 'X', description: 'share of the joint change that is taken over (default 1)' },
    seed: { type: 'string', value: 'S', description: 'of the weights and the choice of sequences (default 0)' },
    'eval-every': { type: 'string', value: 'N', description: 'rounds between evaluations (default 0: at the end)' },
    'eval-batches': { type: 'string', value: 'N', description: 'fixed batches of an evaluation (default 100)' },
    threads: { type: 'string', value: 'N', description: 'threads (default 0: all cores)' },
    out: { type: 'string', value: 'DIR', description: 'save the model here at every evaluation' },
  },

  async run(values, cli) {
    const model = string(values, 'model');
    const seed = integer(values, 'seed', { min: 0, max: 2 ** 32 - 1, default: 0 });
    const data = string(values, 'data');
    const text = await readText(data);
    const tokenizer = values.tokenizer === undefined ? undefined : string(values, 'tokenizer');
    const out = values.out === undefined ? undefined : string(values, 'out');
    const opened = await openForTraining({ model, text, isDialogues: isDialogues(data), tokenizer, seed }, cli.signal);
    const plan = planOf(values, opened);
    const engine = createNodeEngine({ threads: integer(values, 'threads', { min: 0, max: 256, default: 0 }) });
    try {
      const startMs = performance.now();
      const { aggregator } = plan;
      const report = reporter(cli, async () => {
        if (out !== undefined) await saveModel(out, opened.config, opened.weights, opened.files);
      });
      await runTraining({ ...opened, ...plan, engine, seed }, report.emit, cli.signal);
      const { workers, rounds, localSteps, shape } = plan;
      cli.result({
        model,
        parameters: parameterCount(opened.config),
        workers,
        rounds,
        localSteps,
        tokens: workers * rounds * localSteps * shape.batch * shape.sequence,
        seconds: Number(((performance.now() - startMs) / 1000).toFixed(3)),
        ...report.summary(),
        ...('sent' in aggregator && crossed(aggregator, plan, parameterCount(opened.config))),
        out: out ?? null,
      });
    } finally {
      await engine.close();
    }
  },
};

function planOf(values: Values, { config }: OpenedModel) {
  const { maxPositions } = config;
  const sequence = integer(values, 'seq', { min: 1, max: 2 ** 24, default: maxPositions });
  if (sequence > maxPositions) {
    throw AiloError.of('CONTEXT_LENGTH_INVALID', { contextLength: sequence, maxPositions });
  }
  const steps = { min: 1, max: MAX_STEPS };
  const rounds = integer(values, 'rounds', { ...steps, default: DEFAULTS.rounds });
  const localSteps = integer(values, 'local-steps', { ...steps, default: DEFAULTS.localSteps });
  const total = rounds * localSteps;
  const peak = number(values, 'lr', { min: 0, max: 10, default: DEFAULTS.learningRate });
  const warmup = Math.min(DEFAULTS.maxWarmup, Math.round(DEFAULTS.warmupShare * total));
  return {
    rounds,
    localSteps,
    workers: integer(values, 'workers', { min: 1, max: MAX_WORKERS, default: 1 }),
    shape: { batch: integer(values, 'batch', { min: 1, max: MAX_BATCH, default: DEFAULTS.batch }), sequence },
    schedule: {
      peak,
      floor: number(values, 'min-lr', { min: 0, max: 10, default: peak / 10 }),
      warmup: integer(values, 'warmup', { min: 0, max: MAX_STEPS, default: warmup }),
      total,
    },
    optimiser: adamW({
      ...ADAMW,
      weightDecay: number(values, 'weight-decay', { min: 0, max: 10, default: ADAMW.weightDecay }),
    }),
    maxGradientNorm: MAX_GRADIENT_NORM,
    aggregator: aggregatorOf(values),
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
