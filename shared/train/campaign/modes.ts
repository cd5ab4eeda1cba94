/** Whose texts a campaign learns from: everybody's, or each worker's own. */
export const MODES = ['public', 'local'] as const;
export type CampaignMode = (typeof MODES)[number];
