/** A new campaign: its files, then its journal, which makes it exist. */
import { join } from 'node:path';
import { AiloError } from '../../shared/errors/index.ts';
import { type Campaign, parseCampaign } from '../../shared/train/campaign/campaign.ts';
import { splitCorpus } from '../../shared/train/data.ts';
import { configJson } from '../../shared/train/hugging-face.ts';
import type { Database } from '../store/database.ts';
import type { OpenedModel } from '../train/open.ts';
import { CampaignFolder } from './folder.ts';
import { createJournal } from './journal.ts';
import { TRAINING_SHARE } from './limits.ts';

/** What a person says of it; the rest follows from the model and the text. */
export type CampaignSettings = Omit<Campaign, 'format' | 'model' | 'data'> & { shards: number };

export interface Creation {
  database: Database;
  /** Of all campaigns. */
  folder: string;
  opened: OpenedModel;
  settings: CampaignSettings;
  nowMs: number;
}

/** Throws CAMPAIGN_INVALID, CAMPAIGN_EXISTS, TRAINING_DATA_TOO_SHORT. */
export async function createCampaign({ database, folder, opened, settings, nowMs }: Creation): Promise<Campaign> {
  const { shards, ...rest } = settings;
  const { training, validation } = splitCorpus(opened.corpus, TRAINING_SHARE, rest);
  const campaign = parseCampaign({
    ...rest,
    format: 'ailo/campaign/v1',
    model: configJson(opened.config),
    data: { mode: 'public', shards, shardTokens: Math.floor(training.length / shards) },
  });
  const journal = createJournal(database, campaign.id);
  if (await journal.replay()) throw AiloError.of('CAMPAIGN_EXISTS', { campaign: campaign.id });
  const files = new CampaignFolder(join(folder, campaign.id));
  await files.create(campaign, { training, validation, weights: opened.weights, tokenizer: opened.files });
  await journal.append({ kind: 'created', campaign, weights: await files.firstWeights() }, nowMs);
  return campaign;
}
