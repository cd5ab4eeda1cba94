/** The state that the room machine works on, and what can be done to it; rooms.ts and settle.ts decide when. */
import { MAX_SHARERS } from '../../shared/protocol/limits.ts';
import type { FromCoordinator } from '../../shared/protocol/messages.ts';
import { type Candidate, type Context, type Holder, loadDeadline, type Offer, type Room, type Stage } from './room.ts';

export interface PoolNode {
  offer: Offer;
  /** It finishes what it has and takes nothing new. */
  leaving: boolean;
  /** Since when (ms) its socket is gone. Its session lives on, but nothing new is begun with it. */
  awaySinceMs?: number;
}

export interface Pool {
  /** In the order in which rooms are filled. */
  rooms: ReadonlyMap<string, Room>;
  nodes: ReadonlyMap<string, PoolNode>;
}

type Send = {
  [T in 'assign' | 'unassign' | 'refused']: { kind: 'send'; to: string; type: T; body: FromCoordinator[T] };
}['assign' | 'unassign' | 'refused'];

export type PoolEffect =
  | Send
  /** Jobs that pass through this assignment can't go on. */
  | { kind: 'lost'; assignment: string };

/** A state in the making: a copy that the step may change, and what it has to tell. */
export interface Draft {
  rooms: Map<string, Room>;
  nodes: Map<string, PoolNode>;
  effects: PoolEffect[];
  context: Context;
}

/** Gives a node, which holds nothing, a stage. */
export function assign(draft: Draft, room: Room, index: number, node: string): void {
  const { model, manifestHash, quant, contextLength, maxSequences, wire } = room.spec;
  const stage = room.stages[index]!;
  const assignment = draft.context.newId();
  const deadlineMs = loadDeadline(room.spec, stage.range, draft.context.nowMs);
  stage.holders.push({ node, assignment, ready: false, deadlineMs });
  const place = { ...stage.range, stage: index, stages: room.stages.length };
  const sharers = sharersOf(draft, stage, node);
  const rest = { ...(wire && { wire }), ...(sharers.length > 0 && { sharers }) };
  const body = { assignment, model, manifestHash, ...place, quant, contextLength, maxSequences, ...rest };
  draft.effects.push({ kind: 'send', to: node, type: 'assign', body });
}

/** Who has a stage already and can be linked with a node that is to load it; the newest, which has had least to share. */
function sharersOf(draft: Draft, { holders }: Stage, node: string): string[] {
  const isLinkable = (one: string) => draft.nodes.get(one)?.offer.direct === true;
  if (!isLinkable(node)) return [];
  const ready = presentOf(draft, holders).filter((holder) => holder.ready && isLinkable(holder.node));
  return ready.slice(-MAX_SHARERS).map((holder) => holder.node);
}

export function unassign(draft: Draft, { node, assignment }: Holder): void {
  draft.effects.push({ kind: 'send', to: node, type: 'unassign', body: { assignment } });
}

export function holders(room: Room): Holder[] {
  return [...room.stages.flatMap(({ holders }) => holders), ...room.draining];
}

export function heldNodes(draft: Draft): Set<string> {
  return new Set([...draft.rooms.values()].flatMap((room) => holders(room).map(({ node }) => node)));
}

export function freeNodes(draft: Draft): Candidate[] {
  const held = heldNodes(draft);
  // Who is leaving and holds nothing any more is no longer among the nodes.
  return candidates(draft, (node) => !held.has(node));
}

/** Those of them whose nodes are not away. */
export function presentOf(draft: Draft, holders: Holder[]): Holder[] {
  return holders.filter(({ node }) => draft.nodes.get(node)?.awaySinceMs === undefined);
}

/** Nodes that only stand by, without a job: their stage has another holder that is no worse. They may hold another. */
export function spareNodes(draft: Draft): Candidate[] {
  const spare = new Set<string>();
  for (const room of draft.rooms.values()) {
    for (const { holders } of room.stages) {
      // Who is here, even if it still loads: or a node would be sent to and fro between stages whose holders are away.
      const present = presentOf(draft, holders);
      const isInUse = ({ assignment }: Holder) => draft.context.inUse.has(assignment);
      const ready = present.filter((holder) => holder.ready);
      const kept = ready.find(isInUse) ?? ready[0] ?? present[0];
      for (const holder of holders) if (holder !== kept && !isInUse(holder)) spare.add(holder.node);
    }
  }
  return candidates(draft, (node) => spare.has(node));
}

function candidates(draft: Draft, isMeant: (node: string) => boolean): Candidate[] {
  const here = [...draft.nodes].filter(([node, { awaySinceMs }]) => awaySinceMs === undefined && isMeant(node));
  return here.map(([node, { offer }]) => ({ node, offer }));
}

/** Takes what a node holds without a job, so that it is free at once. */
export function release(draft: Draft, node: string): void {
  for (const room of draft.rooms.values()) {
    for (const stage of room.stages) {
      for (const holder of stage.holders) if (holder.node === node) unassign(draft, holder);
      stage.holders = stage.holders.filter((holder) => holder.node !== node);
    }
  }
}
