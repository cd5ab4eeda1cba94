/**
 * Which holder of a stage a job takes. Frames that the coordinator passes on tell how long each one takes from a row to what
 * it makes of it: its link, its queue and its computing in one. Where all frames go that way, what is shortest for each
 * stage is the shortest path. Pure.
 */
import { type HolderView, type JobStage, type Jobs, loads } from './job.ts';
import { HOPE, LOAD_COST, MAX_PACES, PACE_AGE_MS, PACE_WEIGHT } from './limits.ts';

export interface Pace {
  /** For one row, smoothed. */
  ms: number;
  /** When it was measured last. */
  atMs: number;
}
/** By assignment, those that were measured last at the end. */
export type Paces = ReadonlyMap<string, Pace>;

/** What a choice of holders goes by. */
export interface Known {
  /** Jobs, by assignment. */
  counts: ReadonlyMap<string, number>;
  paces: Paces;
  nowMs: number;
}

export function known(jobs: Jobs, nowMs: number): Known {
  return { counts: loads(jobs), paces: jobs.paces, nowMs };
}

/** With the turns of a job's stages that are new. */
export function measured(paces: Paces, stages: readonly Pick<JobStage, 'assignment' | 'turn'>[]): Paces {
  const isNew = ({ assignment, turn }: (typeof stages)[number]) =>
    turn !== undefined && turn.atMs > (paces.get(assignment)?.atMs ?? Number.NEGATIVE_INFINITY);
  const seen = stages.filter(isNew);
  // Of what goes directly there is nothing new, ever.
  if (seen.length === 0) return paces;
  const next = new Map(paces);
  for (const { assignment, turn } of seen) {
    const { ms, atMs } = turn!;
    const before = recent(paces.get(assignment), atMs);
    next.delete(assignment);
    next.set(assignment, { ms: before === undefined ? ms : before + PACE_WEIGHT * (ms - before), atMs });
  }
  for (const oldest of next.keys()) {
    if (next.size <= MAX_PACES) break;
    next.delete(oldest);
  }
  return next;
}

/**
 * Of holders that can compute, the one that is expected to be fastest; one that is away only where nobody else is there.
 * Who was not measured lately is taken to be a little faster than the fastest, and so it is tried.
 */
export function bestHolder(holders: readonly HolderView[], { counts, paces, nowMs }: Known): HolderView | undefined {
  const ready = holders.filter((holder) => holder.ready);
  const present = ready.filter(({ awaySinceMs }) => awaySinceMs === undefined);
  const candidates = present.length > 0 ? present : ready;
  const recentMs = candidates.map(({ assignment }) => recent(paces.get(assignment), nowMs));
  const measuredMs = recentMs.filter((ms) => ms !== undefined);
  const hopedMs = measuredMs.length > 0 ? HOPE * Math.min(...measuredMs) : 1;
  const costs = candidates.map(
    ({ assignment }, i) => (recentMs[i] ?? hopedMs) * (1 + LOAD_COST * (counts.get(assignment) ?? 0)),
  );
  return candidates[costs.indexOf(Math.min(...costs))];
}

function recent(pace: Pace | undefined, nowMs: number): number | undefined {
  return pace !== undefined && nowMs - pace.atMs <= PACE_AGE_MS ? pace.ms : undefined;
}
