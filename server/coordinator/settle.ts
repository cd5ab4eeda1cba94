/** After every event: what may end ends, what is broken is mended, what can be formed is formed. */
import { layOut } from './layout.ts';
import { assign, type Draft, freeNodes, heldNodes, presentOf, release, spareNodes, unassign } from './pool.ts';
import { type Candidate, isForgotten, mayHold, phase, type Room, shuffle } from './room.ts';

export function settle(draft: Draft): void {
  const rooms = [...draft.rooms.values()];
  for (const room of rooms) endDrained(draft, room);
  // What is broken is mended before anything new is begun.
  for (const room of rooms) fillHoles(draft, room);
  for (const room of rooms) planAnew(draft, room);
  standBy(draft);
}

/** Stages that were given back end here once their jobs have; so do bans that nobody needs to remember. */
function endDrained(draft: Draft, room: Room): void {
  const { inUse, nowMs } = draft.context;
  const done = room.draining.filter(({ assignment }) => !inUse.has(assignment));
  for (const holder of done) unassign(draft, holder);
  room.draining = room.draining.filter((holder) => !done.includes(holder));
  for (const [node, ban] of room.bans) {
    if (isForgotten(ban, nowMs)) room.bans.delete(node);
  }
  const held = heldNodes(draft);
  for (const [node, { leaving }] of draft.nodes) {
    if (leaving && !held.has(node)) draft.nodes.delete(node);
  }
}

function fillHoles(draft: Draft, room: Room): void {
  // A plan that nobody holds a part of is worth nothing: a new one may suit better.
  if (room.stages.every(({ holders }) => holders.length === 0)) room.stages = [];
  for (const [index, { range, holders }] of room.stages.entries()) {
    // Whoever is away may come back, but nobody waits for that.
    if (presentOf(draft, holders).length > 0) continue;
    const isAble = (candidate: Candidate) => mayHold(room, range, candidate, draft.context.nowMs);
    const free = freeNodes(draft).filter(isAble);
    const [chosen] = shuffle(free.length > 0 ? free : spareNodes(draft).filter(isAble), draft.context.random);
    if (chosen) give(draft, room, index, chosen.node);
  }
}

/** Plans a room that has none or can't go on with its plan, or that could do with fewer stages and is idle. */
function planAnew(draft: Draft, room: Room): void {
  const own = room.stages.flatMap(({ holders }) => holders);
  const broken = phase(room) === 'forming';
  if (own.some(({ assignment }) => draft.context.inUse.has(assignment))) return;
  const isOwn = new Set(own.map(({ node }) => node));
  const kept = presentOf(draft, own).map(({ node }) => ({ node, offer: draft.nodes.get(node)!.offer }));
  const free = freeNodes(draft);
  const spare = spareNodes(draft).filter(({ node }) => !isOwn.has(node));
  const mayShrink = room.spec.stages === undefined && free.length + spare.length + own.length > room.stages.length;
  if (!broken && !mayShrink) return;
  const near = [...free, ...kept];
  let placements = layOut(room, near, draft.context);
  // Who stands by elsewhere is asked last.
  if (!placements && spare.length > 0) placements = layOut(room, [...near, ...spare], draft.context);
  if (!placements || (!broken && placements.length >= room.stages.length)) return;
  for (const holder of own) unassign(draft, holder);
  room.stages = placements.map(({ range }) => ({ range, holders: [] }));
  placements.forEach(({ node }, index) => {
    give(draft, room, index, node);
  });
}

/** Nodes that no plan needs load what is most fragile: the stage with the fewest holders, of those the largest. */
function standBy(draft: Draft): void {
  const rooms = [...draft.rooms.values()].filter((room) => phase(room) !== 'forming');
  const places = rooms.flatMap((room) =>
    room.stages.map((stage, index) => ({ room, stage, index, bytes: room.spec.memoryBytes(stage.range) })),
  );
  for (const candidate of shuffle(freeNodes(draft), draft.context.random)) {
    const able = places.filter(({ room, stage }) => mayHold(room, stage.range, candidate, draft.context.nowMs));
    const present = ({ stage }: (typeof able)[number]) => presentOf(draft, stage.holders).length;
    const [chosen] = able.sort((a, b) => present(a) - present(b) || b.bytes - a.bytes);
    if (chosen) assign(draft, chosen.room, chosen.index, candidate.node);
  }
}

function give(draft: Draft, room: Room, index: number, node: string): void {
  release(draft, node);
  assign(draft, room, index, node);
}
