import { useState } from 'preact/hooks';
import type { CampaignSummary } from '../../shared/protocol/http.ts';
import { request } from '../ui/link.ts';
import { useThrottled } from '../ui/use-throttled.ts';

const REFRESH_EVERY_MS = 2_000;

/** What the coordinator says of a campaign, asked for again when `version` changes; undefined until it came. */
export function useCampaign(id: string, version: string): CampaignSummary | undefined {
  const [campaign, setCampaign] = useState<CampaignSummary>();
  useThrottled(`${id} ${version}`, REFRESH_EVERY_MS, () => {
    // What came stays when it cannot be renewed.
    request({ type: 'campaign', id }).then(setCampaign, () => undefined);
  });
  return campaign?.id === id ? campaign : undefined;
}
