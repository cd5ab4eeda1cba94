/**
 * All rooms and the nodes that offered themselves, as one pure state machine: `step(pool, event, context)` gives the
 * next state and what has to be told to whom. A node holds at most one stage of one room. Nobody is asked to hold
 * what his measured budget does not allow.
 */
import { AiloError } from '../../shared/errors/index.ts';
import type { FromCoordinator } from '../../shared/protocol/messages.ts';
import { layOut } from './layout.ts';
import {
  type Candidate,
  type Context,
  copyRoom,
  createRoom,
  type Holder,
  isForgotten,
  loadDeadline,
  mayHold,
  nextBan,
  type Offer,
  type Placement,
  phase,
  type Room,
  type RoomSpec,
  type Stage,
  shuffle,
  wishProblem,
} from './room.ts';

export interface PoolNode {
  offer: Offer;
  /** It finishes what it has and takes nothing new. */
  leaving: boolean;
}

export interface Pool {
  /** In the order in which rooms are filled. */
  rooms: ReadonlyMap<string, Room>;
  nodes: ReadonlyMap<string, PoolNode>;
}

export type PoolEvent =
  | { kind: 'offer'; node: string; offer: Offer }
  | { kind: 'withdraw'; node: string }
  /** Its session is over. */
  | { kind: 'gone'; node: string }
  | { kind: 'stageReady'; node: string; assignment: string }
  | { kind: 'stageFailed'; node: string; assignment: string }
  /** Time passed, or jobs ended: look again at bans, deadlines, drained stages. */
  | { kind: 'tick' };

/** When there is something to do for a `tick` after the one at `lastMs`; Infinity when nothing is due. */
export function nextTickMs(pool: Pool, lastMs: number): number {
  const dues = [...pool.rooms.values()].flatMap((room) => [
    ...room.stages.flatMap(({ holder }) => (holder && !holder.ready ? [holder.deadlineMs] : [])),
    ...[...room.bans.values()].map(({ untilMs }) => untilMs),
  ]);
  return Math.min(...dues.filter((dueMs) => dueMs > lastMs), Number.POSITIVE_INFINITY);
}

type Send = {
  [T in 'assign' | 'unassign' | 'refused']: { kind: 'send'; to: string; type: T; body: FromCoordinator[T] };
}['assign' | 'unassign' | 'refused'];

export type PoolEffect =
  | Send
  /** Jobs that pass through this assignment can't go on. */
  | { kind: 'lost'; assignment: string };

interface Draft {
  rooms: Map<string, Room>;
  nodes: Map<string, PoolNode>;
  effects: PoolEffect[];
  context: Context;
}

export function createPool(specs: RoomSpec[]): Pool {
  return { rooms: new Map(specs.map((spec) => [spec.model, createRoom(spec)])), nodes: new Map() };
}

export function step(pool: Pool, event: PoolEvent, context: Context): { pool: Pool; effects: PoolEffect[] } {
  const draft: Draft = {
    rooms: new Map([...pool.rooms].map(([model, room]) => [model, copyRoom(room)])),
    nodes: new Map(pool.nodes),
    effects: [],
    context,
  };
  apply(draft, event);
  for (const room of draft.rooms.values()) settleHolders(draft, room);
  // What is broken is mended before anything new is begun.
  const rooms = [...draft.rooms.values()];
  for (const room of rooms) fillHoles(draft, room);
  for (const room of rooms) planAnew(draft, room);
  return { pool: { rooms: draft.rooms, nodes: draft.nodes }, effects: draft.effects };
}

function apply(draft: Draft, event: PoolEvent): void {
  switch (event.kind) {
    case 'offer':
      offer(draft, event.node, event.offer);
      break;
    case 'withdraw': {
      const node = draft.nodes.get(event.node);
      if (node) draft.nodes.set(event.node, { ...node, leaving: true });
      vacate(draft, event.node);
      break;
    }
    case 'gone':
      draft.nodes.delete(event.node);
      lose(draft, ({ node }) => node === event.node);
      break;
    case 'stageReady':
      for (const { stages } of draft.rooms.values()) {
        for (const { holder } of stages) if (isAssignment(holder, event)) holder.ready = true;
      }
      break;
    case 'stageFailed':
      fail(draft, (holder) => isAssignment(holder, event));
      break;
    case 'tick':
      fail(draft, ({ ready, deadlineMs }) => !ready && deadlineMs <= draft.context.nowMs);
  }
}

function isAssignment(
  holder: Holder | undefined,
  { node, assignment }: { node: string; assignment: string },
): holder is Holder {
  return holder?.assignment === assignment && holder.node === node;
}

function offer(draft: Draft, node: string, offer: Offer): void {
  const problem = offerProblem(draft, offer);
  if (problem) {
    draft.effects.push({ kind: 'send', to: node, type: 'refused', body: { about: 'offer', error: problem.toWire() } });
    return;
  }
  draft.nodes.set(node, { offer, leaving: false });
  // A stage that the new offer no longer allows is given back.
  for (const room of draft.rooms.values()) {
    for (const { range, holder } of room.stages) {
      if (holder?.node === node && !mayHold(room, range, { node, offer }, draft.context.nowMs)) vacate(draft, node);
    }
  }
}

function offerProblem(draft: Draft, { want, budgetBytes }: Offer): AiloError | undefined {
  if (!want) return undefined;
  const spec = draft.rooms.get(want.model)?.spec;
  if (!spec) return AiloError.of('MODEL_UNKNOWN', { model: want.model });
  const problem = wishProblem(spec, want, budgetBytes);
  if (!problem) return undefined;
  return problem.code === 'STAGE_TOO_LARGE'
    ? AiloError.of('STAGE_TOO_LARGE', { neededBytes: problem.neededBytes, budgetBytes })
    : AiloError.of('STAGE_RANGE_INVALID', { start: want.start, end: want.end, units: spec.units });
}

/** Takes a node's stage from it; jobs that pass through it are finished first. */
function vacate(draft: Draft, node: string): void {
  for (const room of draft.rooms.values()) {
    for (const stage of room.stages) {
      if (stage.holder?.node !== node) continue;
      room.draining.push(stage.holder);
      delete stage.holder;
    }
  }
}

/** Forgets holders that can't go on; the jobs that pass through them fail. */
function lose(draft: Draft, isLost: (holder: Holder) => boolean): void {
  const lost = (holder: Holder) => draft.effects.push({ kind: 'lost', assignment: holder.assignment });
  for (const room of draft.rooms.values()) {
    for (const stage of room.stages) {
      if (!stage.holder || !isLost(stage.holder)) continue;
      lost(stage.holder);
      delete stage.holder;
    }
    room.draining.filter(isLost).forEach(lost);
    room.draining = room.draining.filter((holder) => !isLost(holder));
  }
}

/** Like `lose`, but the node is still there: it must forget the stage, and is not asked again for a while. */
function fail(draft: Draft, isFailed: (holder: Holder) => boolean): void {
  for (const room of draft.rooms.values()) {
    for (const holder of holders(room).filter(isFailed)) {
      room.bans.set(holder.node, nextBan(room.bans.get(holder.node), draft.context.nowMs));
      unassign(draft, holder);
    }
  }
  lose(draft, isFailed);
}

/** Stages that were given back end here once their jobs have; so do bans that nobody needs to remember. */
function settleHolders(draft: Draft, room: Room): void {
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
  const candidates = [...free, ...own.flatMap(({ node }) => candidate(draft, node))];
  const placements = layOut(room, candidates, draft.context);
  if (!placements || (!broken && placements.length >= room.stages.length)) return;
  for (const holder of own) unassign(draft, holder);
  room.stages = placements.map(({ range }) => ({ range }));
  placements.forEach(({ node }: Placement, index) => {
    assign(draft, room, index, node);
  });
}

function assign(draft: Draft, room: Room, index: number, node: string): void {
  const { model, manifestHash, quant, contextLength, maxSequences } = room.spec;
  const stage = room.stages[index] as Stage;
  const assignment = draft.context.newId();
  const deadlineMs = loadDeadline(room.spec, stage.range, draft.context.nowMs);
  stage.holder = { node, assignment, ready: false, deadlineMs };
  const place = { ...stage.range, stage: index, stages: room.stages.length };
  const body = { assignment, model, manifestHash, ...place, quant, contextLength, maxSequences };
  draft.effects.push({ kind: 'send', to: node, type: 'assign', body });
}

function unassign(draft: Draft, { node, assignment }: Holder): void {
  draft.effects.push({ kind: 'send', to: node, type: 'unassign', body: { assignment } });
}

function holders(room: Room): Holder[] {
  return [...room.stages.flatMap(({ holder }) => (holder ? [holder] : [])), ...room.draining];
}

function heldNodes(draft: Draft): Set<string> {
  return new Set([...draft.rooms.values()].flatMap((room) => holders(room).map(({ node }) => node)));
}

function freeNodes(draft: Draft): Candidate[] {
  const held = heldNodes(draft);
  return [...draft.nodes]
    .filter(([node, { leaving }]) => !leaving && !held.has(node))
    .map(([node, { offer }]) => ({ node, offer }));
}

function candidate(draft: Draft, node: string): Candidate[] {
  const known = draft.nodes.get(node);
  return known ? [{ node, offer: known.offer }] : [];
}
