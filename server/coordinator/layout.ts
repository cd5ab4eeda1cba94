/** Which node holds which stage of a room that is formed anew. Pure. */
import type { UnitRange } from '../../shared/graph/types.ts';
import { type Candidate, type Context, isBanned, mayHold, type Placement, type Room, shuffle } from './room.ts';

/**
 * Stages for the whole model over some of the candidates, in order; undefined where they don't suffice. Nodes that
 * asked for one stage in particular get it where the rest can be planned around them; otherwise they wait.
 */
export function layOut(room: Room, candidates: Candidate[], context: Context): Placement[] | undefined {
  const usable = shuffle(candidates, context.random).filter(({ node }) => !isBanned(room, node, context.nowMs));
  // Cheap, and asked for each node that comes: a plan for hundreds is not.
  if (usable.length < (room.spec.stages ?? 1)) return undefined;
  const free = usable.filter(({ offer }) => !offer.want);
  const pins = pinned(room, usable, context.nowMs);
  if (pins.length > 0) {
    const around = planAround(room, pins, free, context.random);
    if (around) return around;
  }
  return room.spec.plan({ start: 0, end: room.spec.units }, free, context.random, room.spec.stages);
}

/** Wishes that can stand side by side, in the order of the model. */
function pinned(room: Room, candidates: Candidate[], nowMs: number): Placement[] {
  const pins: Placement[] = [];
  for (const candidate of candidates) {
    const { want } = candidate.offer;
    if (want?.model !== room.spec.model) continue;
    const range = { start: want.start, end: want.end };
    if (!mayHold(room, range, candidate, nowMs)) continue;
    if (pins.some((pin) => range.start < pin.range.end && pin.range.start < range.end)) continue;
    pins.push({ range, node: candidate.node });
  }
  return pins.sort((a, b) => a.range.start - b.range.start);
}

function planAround(room: Room, pins: Placement[], free: Candidate[], random: () => number): Placement[] | undefined {
  const gaps = gapsBetween(pins, room.spec.units);
  const counts = room.spec.stages === undefined ? undefined : shareOut(gaps, room.spec.stages - pins.length);
  if (room.spec.stages !== undefined && !counts) return undefined;
  const placements = [...pins];
  let left = free;
  for (const [i, gap] of gaps.entries()) {
    const planned = room.spec.plan(gap, left, random, counts?.[i]);
    if (!planned) return undefined;
    placements.push(...planned);
    left = left.filter(({ node }) => !planned.some((placement) => placement.node === node));
  }
  return placements.sort((a, b) => a.range.start - b.range.start);
}

function gapsBetween(pins: Placement[], units: number): UnitRange[] {
  const edges = [0, ...pins.flatMap(({ range }) => [range.start, range.end]), units];
  const gaps: UnitRange[] = [];
  for (let i = 0; i < edges.length; i += 2) {
    if (edges[i]! < edges[i + 1]!) gaps.push({ start: edges[i]!, end: edges[i + 1]! });
  }
  return gaps;
}

/** How many stages each gap gets so that they are `total` in all, the longest per stage getting the next. */
function shareOut(gaps: UnitRange[], total: number): number[] | undefined {
  const units = gaps.map(({ start, end }) => end - start);
  if (total < gaps.length || total > units.reduce((sum, n) => sum + n, 0)) return undefined;
  const counts = gaps.map(() => 1);
  for (let given = gaps.length; given < total; given++) {
    let best = 0;
    for (const i of counts.keys()) {
      if (units[i]! / counts[i]! > units[best]! / counts[best]!) best = i;
    }
    counts[best]!++;
  }
  return counts;
}
