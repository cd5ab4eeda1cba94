/** What of a cohort's updates others sent before, or everybody could read. */
import { sharesOf } from '../../shared/train/aggregate/similarity.ts';
import { type Campaign, formatsOf, modelOf } from '../../shared/train/campaign/campaign.ts';
import { MAX_STALENESS } from '../../shared/train/campaign/limits.ts';
import { spaceOf } from '../../shared/train/flat.ts';
import { parametersOf } from '../../shared/train/model/model.ts';
import type { CampaignFolder } from './folder.ts';
import { MAX_COMPARED } from './limits.ts';
import type { Unit } from './state.ts';

/** As `Shares` says, −1 to 1. */
export interface Likeness {
  /** The largest share that another update has which came before. */
  copied: number;
  /** The share that the deltas of the last rounds have. */
  published: number;
}

/** For each unit of the cohort. Throws UPDATE_INVALID, and what reading the files throws. */
export async function likenessesOf(
  folder: CampaignFolder,
  campaign: Campaign,
  { round, units, earlier }: { round: number; units: Unit[]; earlier: Unit[] },
): Promise<Map<string, Likeness>> {
  const all = [...units, ...earlier.slice(-MAX_COMPARED)];
  const { uplink, downlink } = formatsOf(campaign);
  const updates = all.map(({ id }) => ({ open: () => folder.openUpdate(id) }));
  const deltas = Array.from({ length: Math.min(MAX_STALENESS, round) }, (_, back) => ({
    open: () => folder.openDelta(round - 1 - back),
    format: downlink,
  }));
  const shares = await sharesOf(updates, deltas, spaceOf(parametersOf(modelOf(campaign))), uplink);
  return new Map(
    units.map((unit, i) => {
      const others = all.map((other, j) => (cameBefore(other, unit) ? shares.among[i * all.length + j]! : -1));
      return [unit.id, { copied: Math.max(-1, ...others), published: shares.published[i]! }];
    }),
  );
}

function cameBefore(other: Unit, unit: Unit): boolean {
  const earlier = other.update!.arrivedMs - unit.update!.arrivedMs;
  return other.id !== unit.id && (earlier < 0 || (earlier === 0 && other.id < unit.id));
}
