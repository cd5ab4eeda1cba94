/** What a copy knows of transactions and wallets. */
import { isEligible } from '../ledger/activity.ts';
import { equalBytes } from '../ledger/binary.ts';
import { verifiedBy } from '../ledger/cosignature-rules.ts';
import { decodeEntry } from '../ledger/entry.ts';
import type { Network } from '../ledger/network.ts';
import { encodeAddress } from '../wallet/address.ts';
import type { LedgerCopy } from './copy.ts';
import { MAX_HISTORY_PAGE } from './limits.ts';
import type { HistoryPage, KnownTransaction } from './types.ts';

export async function transactionByHash(copy: LedgerCopy, hash: Uint8Array): Promise<KnownTransaction | undefined> {
  if (hash.length !== 32) return undefined;
  for (const index of copy.hashes.find(hash)) {
    const found = await transactionAt(copy, index);
    if (found && equalBytes(found.signed.hash, hash)) return found;
  }
  return undefined;
}

/** @param before only what stands before it in the log */
export async function historyPage(
  copy: LedgerCopy,
  { before = Number.MAX_SAFE_INTEGER, limit }: { before?: number; limit: number },
): Promise<HistoryPage> {
  const size = Math.min(Math.max(limit, 1), MAX_HISTORY_PAGE);
  const end = firstFrom(copy.history, before);
  const places = copy.history.slice(Math.max(0, end - size), end).reverse();
  const transactions: KnownTransaction[] = [];
  for (const place of places) {
    const known = await transactionAt(copy, place);
    if (known) transactions.push(known);
  }
  const last = places.at(-1);
  return end > size && last !== undefined ? { transactions, next: last } : { transactions };
}

/** See `Replica.cosignable`. The copy is at a verified checkpoint. */
export function cosignable(
  { tip: { state, log } }: LedgerCopy,
  { genesis }: Network,
  publicKey: Uint8Array,
  nowMs: number,
): { size: number; root: Uint8Array; transfers: Uint8Array[] } | undefined {
  const wallet = state.account(publicKey);
  if (!isEligible(genesis, wallet, nowMs)) return undefined;
  const verified = verifiedBy(state, wallet, state.placeOf(publicKey)!, log.size);
  if (verified.length === 0) return undefined;
  return { size: log.size, root: log.root(), transfers: verified.map(({ hash }) => hash) };
}

/** The entry at `index` as a transaction; undefined where it is another kind. */
async function transactionAt(copy: LedgerCopy, index: number): Promise<KnownTransaction | undefined> {
  const entry = decodeEntry(await copy.entry(index));
  if (entry.kind !== 'transaction') return undefined;
  const { timeMs, signed } = entry;
  const known: KnownTransaction = { index, timeMs, signed, verifiers: [], reports: [] };
  if (signed.transaction.type !== 'transfer') return known;
  const { state } = copy.tip;
  const transfer = await copy.transfer(signed.hash);
  const dispute = state.dispute(signed.hash);
  if (transfer) {
    known.transfer = transfer;
    known.verifiers = transfer.verifiers.map((place) => encodeAddress(state.accountAt(place)!.publicKey));
  }
  if (dispute) {
    known.dispute = dispute;
    known.reports = await Promise.all(dispute.reports.map((at) => reportAt(copy, at)));
  }
  return known;
}

async function reportAt(copy: LedgerCopy, index: number): Promise<KnownTransaction['reports'][number]> {
  const entry = decodeEntry(await copy.entry(index));
  if (entry.kind !== 'report') throw new RangeError(`entry ${index} is no report`);
  const { publicKey, reason } = entry.signed.report;
  return { address: encodeAddress(publicKey), reason, timeMs: entry.timeMs };
}

/** How many of the ascending places lie before `place`. */
function firstFrom(places: readonly number[], place: number): number {
  let [low, high] = [0, places.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (places[middle]! >= place) high = middle;
    else low = middle + 1;
  }
  return low;
}
