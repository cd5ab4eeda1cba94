import type { CampaignSummary } from '../../shared/protocol/http.ts';

/** Whose texts a campaign learns from, and what it promises of them, as a person reads it. */
export function modeSentence({ mode, groups }: Pick<CampaignSummary, 'mode' | 'groups'>): string {
  if (mode === 'public' || !groups) return 'Public texts: every update is looked at on its own.';
  const { threshold, noise } = groups;
  const sums = `Texts of your own, which stay here: only sums of ${threshold} or more are seen`;
  if (!noise) return `${sums}, without noise.`;
  return `${sums}, with noise (ε ${noise.epsilon.toPrecision(2)} at δ ${noise.delta}).`;
}
