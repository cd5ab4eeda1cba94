/** What every run of `npm run bench -- attacks` begins with, and how the model it ends with is measured. */
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CampaignFolder } from '../../../server/campaigns/folder.ts';
import { createNodeEngine } from '../../../server/runtime/node-engine.ts';
import { openForTraining } from '../../../server/train/open.ts';
import { seededRandom } from '../../../shared/sampler/random.ts';
import { type Campaign, modelOf, parseCampaign } from '../../../shared/train/campaign/campaign.ts';
import { randomBatch, splitCorpus } from '../../../shared/train/data.ts';
import { Evaluator } from '../../../shared/train/evaluator.ts';
import { flatStore } from '../../../shared/train/flat.ts';
import { configJson } from '../../../shared/train/hugging-face.ts';
import { parametersOf } from '../../../shared/train/model/model.ts';
import { PRESETS } from '../../../shared/train/presets.ts';

export const WORKERS = 8;
const [EVALUATION_SEED, EVALUATION_BATCHES] = [1337, 200];

export interface World {
  campaign: Campaign;
  /** Folders of the runs lie in it. */
  folder: string;
  training: Int32Array;
  validation: Int32Array;
}

/** A GPT-2 of two layers by characters. */
export async function openWorld(
  text: string,
  steps: { rounds: number; localSteps: number },
  signal: AbortSignal,
): Promise<World> {
  const opened = await openForTraining({ model: 'nano-char', text, seed: 1 }, signal);
  const config = { ...PRESETS['nano-char'], vocabSize: opened.config.vocabSize, layers: 2, heads: 2, hiddenSize: 64 };
  const model = { ...config, headDim: 32, intermediateSize: 256, maxPositions: 32 };
  const shape = { batch: 8, sequence: 32 };
  const { training, validation } = splitCorpus(opened.corpus, 0.9, shape);
  const total = steps.rounds * steps.localSteps;
  const campaign = parseCampaign({
    ...{ format: 'ailo/campaign/v1', id: 'attacked', model: configJson(model), ...steps, ...shape, seed: 1 },
    ...{ data: { mode: 'public', shards: WORKERS, shardTokens: Math.floor(training.length / WORKERS) } },
    // A high rate, so that few steps go far.
    schedule: { peak: 3e-3, floor: 3e-4, warmup: Math.ceil(total / 10), total },
    ...{ weightDecay: 0.1, maxGradientNorm: 1 },
    ...{ uplinkKeep: 64, downlinkKeep: 256, aggregator: 'confirmed', outerLearningRate: 1 },
    ...{ minWorkers: WORKERS, maxWorkers: WORKERS, quorumPermille: 1000, graceMs: 1000, roundTimeoutMs: 1_000_000 },
  });
  return { campaign, folder: await mkdtemp(join(tmpdir(), 'ailo-attacks-')), training, validation };
}

/** On fixed batches of the validation text. */
export async function finalLoss({ campaign, validation }: World, folder: CampaignFolder, round: number) {
  const config = modelOf(campaign);
  const engine = createNodeEngine({ threads: 1 });
  const evaluator = await Evaluator.create(engine, config, campaign);
  const bytes = await readFile(folder.weights(round));
  const weights = flatStore(new Float32Array(new Uint8Array(bytes).buffer), parametersOf(config));
  const random = seededRandom(EVALUATION_SEED);
  const batches = Array.from({ length: EVALUATION_BATCHES }, () => randomBatch(validation, campaign, random));
  const { loss } = await evaluator.evaluate(weights, batches);
  await engine.close();
  return loss;
}
