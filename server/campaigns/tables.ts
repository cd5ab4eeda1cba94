import type { Kysely } from 'kysely';

export interface CampaignTables {
  /** The journal of each campaign: its events in order, as JSON. What is not in it did not happen. */
  campaign_event: { campaign: string; number: number; at_ms: number; event: string };
}

/** Migration 002. */
export async function createCampaignTables(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('campaign_event')
    .addColumn('campaign', 'text', (c) => c.notNull())
    .addColumn('number', 'integer', (c) => c.notNull())
    .addColumn('at_ms', 'integer', (c) => c.notNull())
    .addColumn('event', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('campaign_event_key', ['campaign', 'number'])
    .execute();
}
