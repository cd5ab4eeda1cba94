/** From what the copy has to a checkpoint: every entry, every signature, every rule. */
import { AiloError } from '../errors/index.ts';
import { checkpointAt } from '../ledger/batch.ts';
import { equalBytes } from '../ledger/binary.ts';
import { type Checkpoint, encodeCheckpoint, type Seal } from '../ledger/checkpoint.ts';
import { CompactRange, hashLeaf } from '../ledger/merkle.ts';
import type { Network } from '../ledger/network.ts';
import type { Verifier } from '../wallet/verifier.ts';
import type { LedgerCopy } from './copy.ts';
import { isContinued } from './rewrite.ts';
import type { LedgerSource } from './source.ts';
import { type CheckedTile, checkAhead, downloadEntries, type TileEntries } from './tiles.ts';
import type { Evidence } from './types.ts';

export interface Target {
  seal: Seal;
  checkpoint: Checkpoint;
}

/** How it is worked through, in entries. */
export interface Pace {
  /** A gap of at most so many is compared with the checkpoint before any of it is applied. */
  shortGap: number;
  /** Progress over a longer one is stored after so many. */
  save: number;
}

export interface ReplayOptions {
  network: Network;
  source: LedgerSource;
  verifier: Verifier;
  pace: Pace;
  /** Unix time. */
  now(): number;
  /** Entries are placed, or something was saved. */
  onProgress(): void;
  signal: AbortSignal;
}

/** `mismatch`: what was served is not what the checkpoint seals, so that it proves nothing. */
export type Outcome = 'verified' | 'mismatch' | Omit<Evidence, 'noticedMs'>;

interface Failure {
  index: number;
  now: Uint8Array;
  reason: AiloError;
}

/**
 * Replays up to the target, which lies ahead of the copy, and stores it. On every outcome but `verified`, and after every
 * error but LEDGER_UNREACHABLE, TILE_INVALID and CANCELLED, the copy must not be used again.
 */
export async function replay(copy: LedgerCopy, target: Target, options: ReplayOptions): Promise<Outcome> {
  const { source, network, verifier, pace, signal } = options;
  const { size: from } = copy.tip.log;
  const { size: to, root } = target.checkpoint;
  let tiles: AsyncIterable<TileEntries> | TileEntries[] = downloadEntries(source, from, to, signal);
  const isShort = to - from <= pace.shortGap;
  if (isShort) {
    tiles = await collect(tiles);
    if (!equalBytes(rootAfter(copy, tiles), root)) return 'mismatch';
  } else if ((await isContinued(copy.head, target, source, signal)) === false) {
    return 'mismatch';
  }
  for await (const tile of checkAhead(tiles, verifier, network, copy.tip.state)) {
    const failure = await applyTile(copy, tile, verifier);
    if (failure) {
      const isSealed = isShort || (await sealsFailure(copy, target, failure, options));
      return isSealed ? ruleBroken(target, failure) : 'mismatch';
    }
    if (copy.unsaved >= pace.save && copy.tip.log.size < to) await copy.save();
    options.onProgress();
  }
  if (!equalBytes(copy.tip.log.root(), root)) return 'mismatch';
  if (copy.tip.state.due.length > 0) {
    const now = await copy.entry(to - 1);
    return ruleBroken(target, { index: to - 1, now, reason: AiloError.of('REWARD_MISSING', {}) });
  }
  if (!equalBytes(encodeCheckpoint(checkpointAt(network, copy.tip)), target.seal.bytes)) {
    return { kind: 'state', newer: target.seal, reason: AiloError.of('LEDGER_STATE_WRONG', { size: to }).toWire() };
  }
  await copy.save({ seal: target.seal, verifiedMs: options.now() });
  return 'verified';
}

/** Places the tile's entries up to the first that breaks a rule, which it tells. */
async function applyTile(copy: LedgerCopy, tile: CheckedTile, verifier: Verifier): Promise<Failure | undefined> {
  const verdicts = await tile.verdicts;
  const late: { index: number; i: number }[] = [];
  let failure: Failure | undefined;
  for (const [i, { bytes, entry, signed }] of tile.entries.entries()) {
    const index = tile.start + i;
    try {
      if (entry instanceof AiloError) throw entry;
      if (verdicts[i] === false) throw AiloError.of('SIGNATURE_INVALID', {});
      copy.place(bytes, entry);
    } catch (error) {
      if (!(error instanceof AiloError)) throw error;
      failure = { index, now: bytes, reason: error };
      break;
    }
    if (signed && verdicts[i] === undefined) late.push({ index, i });
  }
  // The rules have taken their keys meanwhile.
  const answers = await verifier.verifyAll(late.map(({ i }) => tile.entries[i]!.signed!));
  const bad = late[answers.indexOf(false)];
  if (!bad) return failure;
  return { index: bad.index, now: tile.entries[bad.i]!.bytes, reason: AiloError.of('SIGNATURE_INVALID', {}) };
}

/** Whether the log that the target seals has the failure in it: what broke in transport is nobody's fault. */
async function sealsFailure(
  copy: LedgerCopy,
  { checkpoint }: Target,
  { index, now }: Failure,
  { source, signal }: ReplayOptions,
): Promise<boolean> {
  const { size, hashes } = copy.tip.log;
  const range = new CompactRange(size, hashes);
  for await (const { start, entries } of downloadEntries(source, size, checkpoint.size, signal)) {
    const again = entries[index - start];
    if (again && !equalBytes(again, now)) return false;
    for (const entry of entries) range.append(hashLeaf(entry));
  }
  return equalBytes(range.root(), checkpoint.root);
}

function ruleBroken({ seal }: Target, { index, now, reason }: Failure): Outcome {
  return { kind: 'rule', newer: seal, index, entry: { now: now.slice() }, reason: reason.toWire() };
}

function rootAfter(copy: LedgerCopy, tiles: readonly TileEntries[]): Uint8Array {
  const { size, hashes } = copy.tip.log;
  const range = new CompactRange(size, hashes);
  for (const { entries } of tiles) for (const entry of entries) range.append(hashLeaf(entry));
  return range.root();
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
