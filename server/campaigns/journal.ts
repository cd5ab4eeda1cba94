import { AiloError } from '../../shared/errors/index.ts';
import type { Database } from '../store/database.ts';
import type { CampaignEvent, CampaignState } from './state.ts';
import { created, tick } from './tick.ts';

export interface Journal {
  /** The state that the journal leads to; undefined for an empty one. Throws CAMPAIGN_CORRUPT. */
  replay(): Promise<CampaignState | undefined>;
  /** When it resolves, the event is on the disk. */
  append(event: CampaignEvent, nowMs: number): Promise<void>;
}

export function createJournal(database: Database, campaign: string): Journal {
  let next = 0;
  return {
    async replay() {
      const rows = await database
        .selectFrom('campaign_event')
        .selectAll()
        .where('campaign', '=', campaign)
        .orderBy('number')
        .execute();
      let state: CampaignState | undefined;
      for (const { number, at_ms, event: json } of rows) {
        if (number !== next++) throw corrupt(campaign, `event ${next - 1} is missing`);
        const event = JSON.parse(json) as CampaignEvent;
        if (event.kind === 'created') state = created(event);
        else if (state) state = tick(state, event, at_ms).state;
        else throw corrupt(campaign, 'its journal does not begin with its creation');
      }
      return state;
    },
    async append(event, nowMs) {
      const row = { campaign, number: next++, at_ms: nowMs, event: JSON.stringify(event) };
      await database.insertInto('campaign_event').values(row).execute();
    },
  };
}

/** Ids of all campaigns that have a journal. */
export async function campaignsOf(database: Database): Promise<string[]> {
  const rows = await database.selectFrom('campaign_event').select('campaign').distinct().orderBy('campaign').execute();
  return rows.map(({ campaign }) => campaign);
}

function corrupt(campaign: string, reason: string): AiloError {
  return AiloError.of('CAMPAIGN_CORRUPT', { campaign, reason });
}
