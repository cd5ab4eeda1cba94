/** A campaign of a tiny model for a coordinator that is not started yet. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { campaignsFolder } from '../../server/campaigns/campaigns.ts';
import { createCampaign } from '../../server/campaigns/create.ts';
import { campaignOf, textOf } from '../../server/campaigns/testing.ts';
import { openDatabase } from '../../server/store/database.ts';
import { type Campaign, modelOf } from '../../shared/train/campaign/campaign.ts';
import { initialiser } from '../../shared/train/initialise.ts';
import { parametersOf } from '../../shared/train/model/model.ts';
import { memoryStore } from '../../shared/train/store.ts';

export async function createTestCampaign(dataDir: string, change: Partial<Campaign>): Promise<void> {
  const settings = campaignOf(change);
  const config = modelOf(settings);
  const { format: _, model: __, data, ...rest } = settings;
  const weights = memoryStore(parametersOf(config), initialiser(settings.seed));
  await mkdir(dataDir, { recursive: true });
  const database = await openDatabase(join(dataDir, 'ailo.sqlite'));
  await createCampaign({
    ...{ database, folder: campaignsFolder(dataDir), nowMs: Date.now() },
    ...{ opened: { config, corpus: textOf(9000, config.vocabSize), weights, files: {} } },
    settings: data.mode === 'local' ? { ...rest, local: data } : { ...rest, shards: data.shards },
  });
  await database.destroy();
}
