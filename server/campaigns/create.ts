/** A new campaign: its files, then its journal, which makes it exist. */
import { join } from 'node:path';
import { AiloError } from '../../shared/errors/index.ts';
import { type Campaign, type LocalData, type PublicData, parseCampaign } from '../../shared/train/campaign/campaign.ts';
import { shardsOf, splitCorpus } from '../../shared/train/data.ts';
import { configJson } from '../../shared/train/hugging-face.ts';
import type { Database } from '../store/database.ts';
import type { OpenedModel } from '../train/open.ts';
import { CampaignFolder } from './folder.ts';
import { createJournal } from './journal.ts';
import { TRAINING_SHARE } from './limits.ts';

/** What a person says of it; the rest follows from the model and the text. */
export type CampaignSettings = Omit<Campaign, 'format' | 'model' | 'data'> & TextsOf;
/** Whose texts: shards of the coordinator's, or the workers' own. */
export type TextsOf = { shards: number } | { local: LocalData };

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
  const { training, validation, data, rest } = textsOf(settings, opened.corpus);
  const campaign = parseCampaign({ ...rest, data, format: 'ailo/campaign/v1', model: configJson(opened.config) });
  const journal = createJournal(database, campaign.id);
  if (await journal.replay()) throw AiloError.of('CAMPAIGN_EXISTS', { campaign: campaign.id });
  const files = new CampaignFolder(join(folder, campaign.id));
  await files.create(campaign, { training, validation, weights: opened.weights, tokenizer: opened.files });
  await journal.append({ kind: 'created', campaign, weights: await files.firstWeights() }, nowMs);
  return campaign;
}

/** Of a campaign of local texts, the coordinator's own only tells how well the model has become. */
function textsOf(settings: CampaignSettings, corpus: Int32Array) {
  if ('local' in settings) {
    const { local: data, ...rest } = settings;
    const [validation] = shardsOf(corpus, 1, rest) as [Int32Array];
    return { training: new Int32Array(0), validation, data, rest };
  }
  const { shards, ...rest } = settings;
  const { training, validation } = splitCorpus(corpus, TRAINING_SHARE, rest);
  const data: PublicData = { mode: 'public', shards, shardTokens: Math.floor(training.length / shards) };
  return { training, validation, data, rest };
}
