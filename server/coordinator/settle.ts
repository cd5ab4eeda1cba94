/** After every event: what may end ends, what is broken is mended, what can be formed is formed. */
import { layOut } from './layout.ts';
import { assign, type Draft, freeNodes, heldNodes, unassign } from './pool.ts';
import { isForgotten, mayHold, phase, type Room, shuffle } from './room.ts';

export function settle(draft: Draft): void {
  const rooms = [...draft.rooms.values()];
  for (const room of rooms) endDrained(draft, room);
  // What is broken is mended before anything new is begun.
  for (const room of rooms) fillHoles(draft, room);
  for (const room of rooms) planAnew(draft, room);
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
  if (room.stages.every(({ holder }) => !holder)) room.stages = [];
  for (const [index, stage] of room.stages.entries()) {
    if (stage.holder) continue;
    const able = freeNodes(draft).filter((candidate) => mayHold(room, stage.range, candidate, draft.context.nowMs));
    const [chosen] = shuffle(able, draft.context.random);
    if (chosen) assign(draft, room, index, chosen.node);
  }
}

/** Plans a room that has none or can't go on with its plan, or that could do with fewer stages and is idle. */
function planAnew(draft: Draft, room: Room): void {
  const free = freeNodes(draft);
  const own = room.stages.flatMap(({ holder }) => (holder ? [holder] : []));
  const broken = phase(room) === 'forming';
  const mayShrink = room.spec.stages === undefined && free.length > 0;
  if ((!broken && !mayShrink) || own.some(({ assignment }) => draft.context.inUse.has(assignment))) return;
  const candidates = [...free, ...own.flatMap(({ node }) => ({ node, offer: draft.nodes.get(node)!.offer }))];
  const placements = layOut(room, candidates, draft.context);
  if (!placements || (!broken && placements.length >= room.stages.length)) return;
  for (const holder of own) unassign(draft, holder);
  room.stages = placements.map(({ range }) => ({ range }));
  placements.forEach(({ node }, index) => {
    assign(draft, room, index, node);
  });
}
