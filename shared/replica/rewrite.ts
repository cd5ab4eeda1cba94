/** Whether a newer checkpoint's log goes on from what was verified here. */
import { AiloError } from '../errors/index.ts';
import { equalBytes } from '../ledger/binary.ts';
import { decodeCheckpoint } from '../ledger/checkpoint.ts';
import { TILE_ENTRIES } from '../ledger/limits.ts';
import { CompactRange, hashLeaf } from '../ledger/merkle.ts';
import { verifyConsistency } from '../ledger/merkle-proof.ts';
import type { Head } from './head.ts';
import type { Outcome, Target } from './replay.ts';
import type { LedgerSource } from './source.ts';
import type { ReplicaStore } from './store.ts';
import { checkStored, readEntries } from './stored-tiles.ts';
import { downloadEntries } from './tiles.ts';

/** What the coordinator's proof says; undefined where it gives none, or nothing was verified yet. */
export async function isContinued(
  { verified }: Head,
  { checkpoint }: Target,
  source: LedgerSource,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  const older = verified && decodeCheckpoint(verified.seal.bytes);
  if (!older || older.size === 0) return undefined;
  try {
    return verifyConsistency(older, checkpoint, await source.consistency(older.size, checkpoint.size, signal));
  } catch (error) {
    if (error instanceof AiloError && error.code === 'LEDGER_UNREACHABLE') return undefined;
    throw error;
  }
}

/**
 * Compares the log that the target seals with what was verified here. Evidence of the first entry that differs; undefined
 * where none does, or where what is served is not what the target seals. Throws LEDGER_CORRUPT.
 */
export async function findRewrite(
  head: Head,
  target: Target,
  { store, source, signal }: { store: ReplicaStore; source: LedgerSource; signal: AbortSignal },
): Promise<Exclude<Outcome, string> | undefined> {
  const { verified, base } = head;
  if (!verified || (await isContinued(head, target, source, signal)) === true) return undefined;
  const [served, stored] = [new CompactRange(), new CompactRange()];
  let first: { index: number; before: Uint8Array; now: Uint8Array } | undefined;
  for await (const { start, entries } of downloadEntries(source, 0, target.checkpoint.size, signal)) {
    const known = start < base.size ? await readEntries(store, start, Math.min(base.size, start + TILE_ENTRIES)) : [];
    for (const [i, now] of entries.entries()) {
      served.append(hashLeaf(now));
      const before = known[i];
      if (before) stored.append(hashLeaf(before));
      if (!first && before && !equalBytes(before, now)) {
        first = { index: start + i, before: before.slice(), now: now.slice() };
      }
    }
  }
  checkStored(stored.root(), decodeCheckpoint(verified.seal.bytes));
  if (!first || !equalBytes(served.root(), target.checkpoint.root)) return undefined;
  const { index, ...entry } = first;
  const reason = AiloError.of('LEDGER_REWRITTEN', {}).toWire();
  return { kind: 'rewrite', older: verified.seal, newer: target.seal, index, entry, reason };
}
