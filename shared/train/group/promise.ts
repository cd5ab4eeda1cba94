import type { Campaign } from '../campaign/campaign.ts';
import { epsilonOf } from './accountant.ts';

/** What a campaign of local texts promises. */
export interface GroupPromise {
  /** So many are in every sum at least. */
  threshold: number;
  /** Differential privacy of all of a worker's text, after as many sums as it may be in; absent without noise. */
  noise?: { epsilon: number; delta: number };
}

/** Undefined for a campaign of public texts, which promises nothing. */
export function promiseOf({ data }: Pick<Campaign, 'data'>): GroupPromise | undefined {
  if (data.mode !== 'local') return undefined;
  const { threshold, noise } = data;
  return { threshold, ...(noise && { noise: { epsilon: epsilonOf(noise), delta: noise.delta } }) };
}
