/** The state that the room machine works on, and what can be done to it; rooms.ts and settle.ts decide when. */
import type { FromCoordinator } from '../../shared/protocol/messages.ts';
import { type Candidate, type Context, type Holder, loadDeadline, type Offer, type Room } from './room.ts';

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

export function assign(draft: Draft, room: Room, index: number, node: string): void {
  const { model, manifestHash, quant, contextLength, maxSequences } = room.spec;
  const stage = room.stages[index]!;
  const assignment = draft.context.newId();
  const deadlineMs = loadDeadline(room.spec, stage.range, draft.context.nowMs);
  stage.holder = { node, assignment, ready: false, deadlineMs };
  const place = { ...stage.range, stage: index, stages: room.stages.length };
  const body = { assignment, model, manifestHash, ...place, quant, contextLength, maxSequences };
  draft.effects.push({ kind: 'send', to: node, type: 'assign', body });
}

export function unassign(draft: Draft, { node, assignment }: Holder): void {
  draft.effects.push({ kind: 'send', to: node, type: 'unassign', body: { assignment } });
}

export function holders(room: Room): Holder[] {
  return [...room.stages.flatMap(({ holder }) => (holder ? [holder] : [])), ...room.draining];
}

export function heldNodes(draft: Draft): Set<string> {
  return new Set([...draft.rooms.values()].flatMap((room) => holders(room).map(({ node }) => node)));
}

export function freeNodes(draft: Draft): Candidate[] {
  const held = heldNodes(draft);
  // Who is leaving and holds nothing any more is no longer among the nodes.
  return [...draft.nodes].filter(([node]) => !held.has(node)).map(([node, { offer }]) => ({ node, offer }));
}
