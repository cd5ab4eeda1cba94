import * as v from 'valibot';
import { AiloError } from '../../shared/errors/index.ts';
import { httpSource } from '../../shared/model/source.ts';
import { type CampaignSummary, CampaignsResponse, paths } from '../../shared/protocol/http.ts';
import { MAX_CAMPAIGNS_BYTES } from '../../shared/train/campaign/limits.ts';

/** A campaign as the coordinator at `url` tells of it. Throws CAMPAIGN_UNKNOWN, and what `httpSource` throws. */
export async function fetchCampaign(fetch: typeof globalThis.fetch, url: string, id: string): Promise<CampaignSummary> {
  const source = httpSource({ fetch, urlOf: (path) => new URL(path, url).href });
  const bytes = await source.readFile(paths.campaigns, MAX_CAMPAIGNS_BYTES);
  const { campaigns } = v.parse(CampaignsResponse, JSON.parse(new TextDecoder().decode(bytes)));
  const found = campaigns.find((campaign) => campaign.id === id);
  if (!found) throw AiloError.of('CAMPAIGN_UNKNOWN', { campaign: id });
  return found;
}
