/**
 * All rooms and the nodes that offered themselves, as one pure state machine: `step(pool, event, context)` gives the
 * next state and what has to be told to whom. A node holds at most one stage of one room, a stage has any number of
 * holders. Nobody is asked to hold what his measured budget does not allow.
 */
import { AiloError } from '../../shared/errors/index.ts';
import { type Draft, holders, type Pool, type PoolEffect, unassign } from './pool.ts';
import {
  type Context,
  copyRoom,
  createRoom,
  type Holder,
  mayHold,
  nextBan,
  type Offer,
  type RoomSpec,
  wishProblem,
} from './room.ts';
import { settle } from './settle.ts';

export type PoolEvent =
  | { kind: 'offer'; node: string; offer: Offer }
  | { kind: 'withdraw'; node: string }
  /** Its session is over. */
  | { kind: 'gone'; node: string }
  /** Its socket has been gone since then; its session still waits for it. */
  | { kind: 'away'; node: string; sinceMs: number }
  | { kind: 'back'; node: string }
  | { kind: 'stageReady'; node: string; assignment: string }
  | { kind: 'stageFailed'; node: string; assignment: string }
  /** What the node computes is not to be relied on for a while (`banMs` the first time), or (`forGood`) until it offers itself again. */
  | { kind: 'setAside'; node: string; forGood: boolean; banMs?: number }
  /** Time passed, or jobs ended: look again at bans, deadlines and drained stages, as after every event. */
  | { kind: 'tick' };

/** When there is something to do for a `tick` after the one at `lastMs`; Infinity when nothing is due. */
export function nextTickMs(pool: Pool, lastMs: number): number {
  const dues = [...pool.rooms.values()].flatMap((room) => [
    ...room.stages.flatMap(({ holders }) => holders.filter(({ ready }) => !ready).map(({ deadlineMs }) => deadlineMs)),
    ...[...room.bans.values()].map(({ untilMs }) => untilMs),
  ]);
  return Math.min(...dues.filter((dueMs) => dueMs > lastMs), Number.POSITIVE_INFINITY);
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
  fail(draft, ({ ready, deadlineMs }) => !ready && deadlineMs <= context.nowMs);
  settle(draft);
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
    case 'away':
    case 'back': {
      const known = draft.nodes.get(event.node);
      if (!known) break;
      const { awaySinceMs: _, ...here } = known;
      draft.nodes.set(event.node, event.kind === 'away' ? { ...here, awaySinceMs: event.sinceMs } : here);
      break;
    }
    case 'stageReady':
      for (const { stages } of draft.rooms.values()) {
        for (const holder of stages.flatMap(({ holders }) => holders)) {
          if (isAssignment(holder, event)) holder.ready = true;
        }
      }
      break;
    case 'stageFailed':
      fail(draft, (holder) => isAssignment(holder, event));
      break;
    case 'setAside':
      fail(draft, ({ node }) => node === event.node, event.banMs);
      if (event.forGood) draft.nodes.delete(event.node);
      break;
    case 'tick':
  }
}

function isAssignment(holder: Holder, { node, assignment }: { node: string; assignment: string }): boolean {
  return holder.assignment === assignment && holder.node === node;
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
    for (const { range, holders } of room.stages) {
      const holds = holders.some((holder) => holder.node === node);
      if (holds && !mayHold(room, range, { node, offer }, draft.context.nowMs)) vacate(draft, node);
    }
  }
}

function offerProblem(draft: Draft, offer: Offer): AiloError | undefined {
  const { want } = offer;
  if (!want) return undefined;
  const spec = draft.rooms.get(want.model)?.spec;
  if (!spec) return AiloError.of('MODEL_UNKNOWN', { model: want.model });
  return wishProblem(spec, want, offer);
}

/** Takes a node's stage from it; jobs that pass through it are finished first. */
function vacate(draft: Draft, node: string): void {
  for (const room of draft.rooms.values()) {
    for (const stage of room.stages) {
      room.draining.push(...stage.holders.filter((holder) => holder.node === node));
      stage.holders = stage.holders.filter((holder) => holder.node !== node);
    }
  }
}

/** Forgets holders that can't go on; the jobs that pass through them need others. */
function lose(draft: Draft, isLost: (holder: Holder) => boolean): void {
  const lost = (holder: Holder) => draft.effects.push({ kind: 'lost', assignment: holder.assignment });
  for (const room of draft.rooms.values()) {
    for (const stage of room.stages) {
      stage.holders.filter(isLost).forEach(lost);
      stage.holders = stage.holders.filter((holder) => !isLost(holder));
    }
    room.draining.filter(isLost).forEach(lost);
    room.draining = room.draining.filter((holder) => !isLost(holder));
  }
}

/** Like `lose`, but the node is still there: it must forget the stage, and is not asked again for a while. */
function fail(draft: Draft, isFailed: (holder: Holder) => boolean, banMs?: number): void {
  for (const room of draft.rooms.values()) {
    for (const holder of holders(room).filter(isFailed)) {
      room.bans.set(holder.node, nextBan(room.bans.get(holder.node), draft.context.nowMs, banMs));
      unassign(draft, holder);
    }
  }
  lose(draft, isFailed);
}
