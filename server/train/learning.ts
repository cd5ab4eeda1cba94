/** How a training learns, as the command line says it: `ailo train` and `ailo campaign create` ask the same. */
import { AiloError } from '../../shared/errors/index.ts';
import { MAX_BATCH, MAX_STEPS } from '../../shared/train/limits.ts';
import { ADAMW } from '../../shared/train/optimiser/adamw.ts';
import type { Schedule } from '../../shared/train/optimiser/schedule.ts';
import { PRESET_NAMES } from '../../shared/train/presets.ts';
import { integer, number, type Option, type Values } from '../cli.ts';

export const LEARNING = {
  rounds: 20,
  localSteps: 100,
  batch: 12,
  learningRate: 1e-3,
  warmupShare: 0.05,
  maxWarmup: 100,
};
/** The global norm that gradients are clipped to. */
export const MAX_GRADIENT_NORM = 1;

export const learningOptions: Record<string, Option> = {
  model: {
    type: 'string',
    value: 'MODEL',
    description: `${PRESET_NAMES.join(', ')}, or the folder of a model to go on with (required)`,
  },
  data: { type: 'string', value: 'FILE', description: 'the text, of which a tenth is kept for validation (required)' },
  tokenizer: { type: 'string', value: 'DIR', description: "a preset's tokenizer (default: the text's characters)" },
  rounds: { type: 'string', value: 'R', description: `rounds of local steps (default ${LEARNING.rounds})` },
  'local-steps': { type: 'string', value: 'H', description: `steps of a round (default ${LEARNING.localSteps})` },
  batch: { type: 'string', value: 'B', description: `sequences of a step (default ${LEARNING.batch})` },
  seq: { type: 'string', value: 'T', description: "tokens of a sequence (default: the model's context)" },
  lr: { type: 'string', value: 'X', description: `learning rate (default ${LEARNING.learningRate})` },
  'min-lr': { type: 'string', value: 'X', description: 'learning rate at the end (default a tenth of --lr)' },
  warmup: { type: 'string', value: 'N', description: 'steps until --lr is reached (default a twentieth, at most 100)' },
  'weight-decay': { type: 'string', value: 'X', description: `of matrices (default ${ADAMW.weightDecay})` },
  'outer-lr': { type: 'string', value: 'X', description: 'share of the joint change that is taken over (default 1)' },
  seed: { type: 'string', value: 'S', description: 'of the weights and the choice of sequences (default 0)' },
};

export interface Learning {
  rounds: number;
  localSteps: number;
  batch: number;
  sequence: number;
  schedule: Schedule;
  weightDecay: number;
  outerLearningRate: number;
}

/** `maxPositions` of the model. Throws USAGE, CONTEXT_LENGTH_INVALID. */
export function learningOf(values: Values, maxPositions: number): Learning {
  const sequence = integer(values, 'seq', { min: 1, max: 2 ** 24, default: maxPositions });
  if (sequence > maxPositions) throw AiloError.of('CONTEXT_LENGTH_INVALID', { contextLength: sequence, maxPositions });
  const steps = { min: 1, max: MAX_STEPS };
  const rounds = integer(values, 'rounds', { ...steps, default: LEARNING.rounds });
  const localSteps = integer(values, 'local-steps', { ...steps, default: LEARNING.localSteps });
  const total = rounds * localSteps;
  const peak = number(values, 'lr', { min: 0, max: 10, default: LEARNING.learningRate });
  const warmup = Math.min(LEARNING.maxWarmup, Math.round(LEARNING.warmupShare * total));
  return {
    rounds,
    localSteps,
    sequence,
    batch: integer(values, 'batch', { min: 1, max: MAX_BATCH, default: LEARNING.batch }),
    schedule: {
      peak,
      floor: number(values, 'min-lr', { min: 0, max: 10, default: peak / 10 }),
      warmup: integer(values, 'warmup', { min: 0, max: MAX_STEPS, default: warmup }),
      total,
    },
    weightDecay: number(values, 'weight-decay', { min: 0, max: 10, default: ADAMW.weightDecay }),
    outerLearningRate: number(values, 'outer-lr', { min: 0, max: 10, default: 1 }),
  };
}

/** Throws USAGE. */
export function seedOf(values: Values): number {
  return integer(values, 'seed', { min: 0, max: 2 ** 32 - 1, default: 0 });
}
