/**
 * A room serves one model: an ordered list of stages, each held by one node or several, any of which can compute it.
 * Everything here is a pure decision over plain state; rooms.ts strings them together over all rooms.
 *
 * forming (some stage has no holder) → loading (some holder is not ready) → ready
 */
import { AiloError } from '../../shared/errors/index.ts';
import type { Quant, UnitRange } from '../../shared/graph/types.ts';
import type { FromNode, ModelListing } from '../../shared/protocol/messages.ts';
import type { WireDtype } from '../../shared/tensor/payload.ts';
import { BAN_MS, LOAD_BASE_MS, LOAD_BYTES_PER_MS, MAX_BAN_MS } from './limits.ts';

export type Offer = FromNode['offer'];

/** A node that could hold a stage. */
export interface Candidate {
  node: string;
  offer: Offer;
}

/** What a room needs to know of its model; the figures come from shared/graph and shared/plan. */
export interface RoomSpec {
  model: string;
  name: string;
  manifestHash: string;
  quant: Quant;
  /** How activations travel; absent: as the quantisation has it. */
  wire?: WireDtype;
  contextLength: number;
  chat: boolean;
  maxSequences: number;
  /** Whether the first stage of a job runs ahead of the text with what may follow. */
  speculate?: boolean;
  vocabSize: number;
  eosTokens: readonly number[];
  /** Placement units of the whole model, its MLP half-layers undivided. */
  units: number;
  /** Exactly so many stages; absent: as few as fit. */
  stages?: number;
  /** How much memory (bytes) a node offers for a stage of this room. */
  budgetOf(offer: Offer): number;
  /** Memory (bytes) that these units take on their node. */
  memoryBytes(range: UnitRange): number;
  /**
   * Contiguous stages over some of the candidates, in order, covering `range` of undivided units; those of the stages
   * may be finer. Undefined where the candidates don't suffice.
   */
  plan(range: UnitRange, candidates: Candidate[], random: () => number, stages?: number): Placement[] | undefined;
}

export interface Placement {
  range: UnitRange;
  node: string;
}

export interface Holder {
  node: string;
  assignment: string;
  ready: boolean;
  /** When a holder that is not ready counts as failed. */
  deadlineMs: number;
}

export interface Stage {
  range: UnitRange;
  /** The first was there first; the others stand by and take jobs of their own. */
  holders: Holder[];
}

export interface Ban {
  failures: number;
  untilMs: number;
}

export interface Room {
  spec: RoomSpec;
  /** Empty until a plan was possible. */
  stages: Stage[];
  /** Holders that were replaced or are leaving, and still have jobs to finish. */
  draining: Holder[];
  bans: Map<string, Ban>;
}

/** What decisions may use beside the state. */
export interface Context {
  nowMs: number;
  /** In [0, 1). */
  random(): number;
  /** A new 128-bit id, hex. */
  newId(): string;
  /** Assignments that running jobs pass through. */
  inUse: ReadonlySet<string>;
}

export function createRoom(spec: RoomSpec): Room {
  return { spec, stages: [], draining: [], bans: new Map() };
}

/** A copy that may be changed without changing the original. */
export function copyRoom(room: Room): Room {
  return {
    spec: room.spec,
    stages: room.stages.map(({ range, holders }) => ({ range, holders: holders.map((holder) => ({ ...holder })) })),
    draining: [...room.draining],
    bans: new Map(room.bans),
  };
}

export function phase(room: Room): 'forming' | 'loading' | 'ready' {
  if (room.stages.length === 0 || room.stages.some(({ holders }) => holders.length === 0)) return 'forming';
  return room.stages.every(isReady) ? 'ready' : 'loading';
}

export function isReady({ holders }: Stage): boolean {
  return holders.some(({ ready }) => ready);
}

export function listing(room: Room): ModelListing {
  const { model, name, manifestHash, contextLength, chat, stages } = room.spec;
  return {
    id: model,
    name,
    manifestHash,
    contextLength,
    chat,
    stages: room.stages.length || stages || 1,
    ready: room.stages.filter(isReady).length,
  };
}

/** Why a node's wish for one stage in particular can't be met, if so: STAGE_RANGE_INVALID, STAGE_TOO_LARGE. */
export function wishProblem(spec: RoomSpec, { start, end }: UnitRange, offer: Offer): AiloError | undefined {
  const { units } = spec;
  if (start >= end || end > units) return AiloError.of('STAGE_RANGE_INVALID', { start, end, units });
  const [neededBytes, budgetBytes] = [spec.memoryBytes({ start, end }), spec.budgetOf(offer)];
  return neededBytes > budgetBytes ? AiloError.of('STAGE_TOO_LARGE', { neededBytes, budgetBytes }) : undefined;
}

/** Whether a node may hold this stage: it fits, it is what the node asked for if it did, and the node is not banned. */
export function mayHold(room: Room, range: UnitRange, { node, offer }: Candidate, nowMs: number): boolean {
  const { want } = offer;
  if (want && !(want.model === room.spec.model && isSameRange(want, range))) return false;
  return !isBanned(room, node, nowMs) && room.spec.memoryBytes(range) <= room.spec.budgetOf(offer);
}

function isSameRange(a: UnitRange, b: UnitRange): boolean {
  return a.start === b.start && a.end === b.end && a.mlpParts === b.mlpParts;
}

export function isBanned(room: Room, node: string, nowMs: number): boolean {
  const ban = room.bans.get(node);
  return ban !== undefined && nowMs < ban.untilMs;
}

/** 15 s if nothing else is said, doubling with each further failure until they are forgotten. */
export function nextBan(previous: Ban | undefined, nowMs: number, firstMs = BAN_MS): Ban {
  const failures = (previous?.failures ?? 0) + 1;
  return { failures, untilMs: nowMs + Math.min(MAX_BAN_MS, firstMs * 2 ** (failures - 1)) };
}

/** Whether a failure is so long ago that the doubling begins anew. */
export function isForgotten(ban: Ban, nowMs: number): boolean {
  return nowMs >= ban.untilMs + MAX_BAN_MS;
}

/** When loading this stage has taken too long. */
export function loadDeadline(spec: RoomSpec, range: UnitRange, nowMs: number): number {
  return nowMs + LOAD_BASE_MS + spec.memoryBytes(range) / LOAD_BYTES_PER_MS;
}

/** The items in a random order (Fisher–Yates), so that nobody can aim for a place. */
export function shuffle<T>(items: readonly T[], random: () => number): T[] {
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  return result;
}
