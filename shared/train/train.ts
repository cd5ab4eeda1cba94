/** Training from text to weights: rounds of local steps by one or more workers, in one process. */
import { throwIfCancelled } from '../errors/cancelled.ts';
import type { TensorEngine } from '../runtime/tensor-engine.ts';
import { seededRandom } from '../sampler/random.ts';
import type { Corpus } from './corpus.ts';
import type { Batch } from './data.ts';
import { Evaluator } from './evaluator.ts';
import type { Aggregator } from './federation/aggregator.ts';
import { runRound, type Worker } from './federation/round.ts';
import type { TrainingConfig } from './model/lora.ts';
import { type BatchShape, trainedOf } from './model/model.ts';
import { learningRateAt, type Schedule } from './optimiser/schedule.ts';
import type { Optimiser } from './optimiser/types.ts';
import { loadStepGraphs, type StepGraphs } from './step-graphs.ts';
import { storeOver, type TensorStore, zeroValues } from './store.ts';
import { Trainer } from './trainer.ts';

export interface TrainOptions {
  engine: TensorEngine;
  config: TrainingConfig;
  /** The model's weights, which the rounds change. */
  weights: TensorStore;
  corpus: Corpus;
  shape: BatchShape;
  workers: number;
  rounds: number;
  localSteps: number;
  optimiser: Optimiser;
  /** Over a worker's steps, of all rounds. */
  schedule: Schedule;
  maxGradientNorm: number;
  aggregator: Aggregator;
  seed: number;
  /** Rounds between two evaluations; 0: only after the last. */
  evaluateEvery: number;
  /** Fixed random batches of the validation text. */
  evaluationBatches: number;
}

export type TrainEvent =
  | { kind: 'step'; worker: number; step: number; loss: number; gradientNorm: number; learningRate: number }
  | { kind: 'evaluation'; round: number; step: number; loss: number; tokens: number };

/** Of the text, what is trained on (as nanoGPT does); the rest is for validation. */
const TRAINING_SHARE = 0.9;
/** Apart from any seed of training, so that all runs are measured by the same batches. */
const EVALUATION_SEED = 1337;

/**
 * Trains; `emit` is told of every step and evaluation, and awaited after an evaluation, so that it can save. Throws
 * TRAINING_DATA_TOO_SHORT, TRAINING_DIVERGED, CANCELLED and the engine's errors.
 */
export async function train(
  options: TrainOptions,
  emit: (event: TrainEvent) => void | Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const { engine, config, weights, corpus, shape, rounds, localSteps, evaluateEvery } = options;
  const { training, validation } = corpus.split(TRAINING_SHARE, shape);
  const batches = fixedBatches(validation, shape, options.evaluationBatches);
  const shards = training.shards(options.workers, shape);
  const graphs = await loadStepGraphs(engine, options);
  const evaluator = await Evaluator.create(engine, config, shape);
  const crew = shards.map((shard, index) => createWorker(options, graphs, shard, index, emit, signal));
  try {
    for (let round = 0; round < rounds; round++) {
      await runRound(round, weights, trainedOf(config), crew, options.aggregator);
      const due = round === rounds - 1 || (evaluateEvery > 0 && (round + 1) % evaluateEvery === 0);
      if (!due) continue;
      const evaluation = await evaluator.evaluate(weights, batches, signal);
      await emit({ kind: 'evaluation', round, step: (round + 1) * localSteps, ...evaluation });
    }
  } finally {
    await evaluator.release();
    await graphs.release();
  }
}

/** The optimiser's state stays with the worker from round to round. */
function createWorker(
  options: TrainOptions,
  graphs: StepGraphs,
  corpus: Corpus,
  index: number,
  emit: (event: TrainEvent) => void | Promise<void>,
  signal: AbortSignal | undefined,
): Worker {
  const { config, shape, localSteps, schedule } = options;
  const weights = storeOver(options.weights, trainedOf(config), zeroValues);
  const trainer = new Trainer(graphs, { weights, maxGradientNorm: options.maxGradientNorm });
  const random = seededRandom(options.seed + index);
  return {
    weights,
    async learn(round) {
      for (let local = 0; local < localSteps; local++) {
        throwIfCancelled(signal);
        const step = round * localSteps + local;
        const learningRate = learningRateAt(step, schedule);
        const report = await trainer.step(corpus.randomBatch(shape, random), learningRate);
        await emit({ kind: 'step', worker: index, step, ...report, learningRate });
      }
      return localSteps * shape.batch * shape.sequence;
    },
  };
}

function fixedBatches(corpus: Corpus, shape: BatchShape, count: number): Batch[] {
  const random = seededRandom(EVALUATION_SEED);
  return Array.from({ length: count }, () => corpus.randomBatch(shape, random));
}
