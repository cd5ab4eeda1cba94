/** What the tests of campaigns share. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Campaign, modelOf, parseCampaign } from '../../shared/train/campaign/campaign.ts';
import { configJson } from '../../shared/train/hugging-face.ts';
import { initialiser } from '../../shared/train/initialise.ts';
import { parametersOf } from '../../shared/train/model/model.ts';
import { PRESETS } from '../../shared/train/presets.ts';
import { memoryStore } from '../../shared/train/store.ts';
import { openDatabase } from '../store/database.ts';
import { campaignsFolder } from './campaigns.ts';
import { createCampaign } from './create.ts';

/** A campaign of three rounds of a model of some thousand parameters, by two to four workers. */
export function campaignOf(change: Partial<Campaign> = {}): Campaign {
  const config = { ...PRESETS['nano-char'], layers: 1, heads: 2, hiddenSize: 16, headDim: 8, intermediateSize: 64 };
  return parseCampaign({
    ...{ format: 'ailo/campaign/v1', id: 'tiny', model: configJson({ ...config, maxPositions: 16 }) },
    ...{ data: { mode: 'public', shards: 4, shardTokens: 1000 }, seed: 1 },
    ...{ rounds: 3, localSteps: 4, batch: 2, sequence: 16 },
    ...{ schedule: { peak: 1e-3, floor: 1e-4, warmup: 2, total: 12 }, weightDecay: 0.1, maxGradientNorm: 1 },
    ...{ uplinkKeep: 64, downlinkKeep: 256, aggregator: 'confirmed', outerLearningRate: 1 },
    ...{ minWorkers: 2, maxWorkers: 4, quorumPermille: 500, graceMs: 1000, roundTimeoutMs: 60_000 },
    ...change,
  });
}

/** Creates the campaign in the data folder of a coordinator that does not run. Throws CAMPAIGN_EXISTS. */
export async function foundCampaign(dataDir: string, campaign: Campaign, corpus?: Int32Array): Promise<void> {
  const { format: _, model: __, data, ...rest } = campaign;
  const config = modelOf(campaign);
  const weights = memoryStore(parametersOf(config), initialiser(campaign.seed));
  await mkdir(dataDir, { recursive: true });
  const database = await openDatabase(join(dataDir, 'ailo.sqlite'));
  try {
    await createCampaign({
      ...{ database, folder: campaignsFolder(dataDir), nowMs: Date.now() },
      ...{ opened: { config, corpus: corpus ?? textOf(9000, config.vocabSize), weights, files: {} } },
      settings: data.mode === 'local' ? { ...rest, local: data } : { ...rest, shards: data.shards },
    });
  } finally {
    await database.destroy();
  }
}

/** A text with something to learn: each token follows from the one before, but for noise. */
export function textOf(tokens: number, vocabulary: number): Int32Array {
  let state = 7;
  return Int32Array.from({ length: tokens }, (_, i) => {
    state = i % 11 === 0 ? (i * 31) % vocabulary : (state * 5 + 3) % vocabulary;
    return state;
  });
}
