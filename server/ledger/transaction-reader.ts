/** One transaction with everything that is known of it: who verified and reported it, and the proof that it is there. */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import type * as v from 'valibot';
import { describeSeal } from '../../shared/ledger/checkpoint.ts';
import { decodeEntry } from '../../shared/ledger/entry.ts';
import type { Genesis } from '../../shared/ledger/genesis.ts';
import { decodeDispute, decodeTransfer, type Transfer } from '../../shared/ledger/records.ts';
import { describeDispute } from '../../shared/protocol/describe.ts';
import type { TransactionResponse } from '../../shared/protocol/http.ts';
import { encodeAddress } from '../../shared/wallet/address.ts';
import type { Database } from '../store/database.ts';
import { describeEntry } from './describe.ts';
import type { LogProofs } from './log-proofs.ts';
import type { LedgerReader } from './reader.ts';
import type { LedgerStore } from './store.ts';

type Detail = v.InferInput<typeof TransactionResponse>;

export interface TransactionSources {
  database: Database;
  genesis: Genesis;
  store: LedgerStore;
  reader: LedgerReader;
  proofs: LogProofs;
}

/** By its hash, 64 hex digits. */
export async function readTransaction(
  sources: TransactionSources,
  hash: string,
  nowMs: number,
): Promise<Detail | undefined> {
  const { genesis, store, reader, proofs } = sources;
  const { size, seal } = await store.published();
  const position = await reader.placeOfSigned(hexToBytes(hash));
  if (position === undefined || position >= size) return undefined;
  const bytes = await reader.entry(position);
  if (decodeEntry(bytes).kind !== 'transaction') return undefined;
  const transfer = await transferAt(sources, position);
  const path = await proofs.inclusion(position, size);
  return {
    ...describeEntry(position, bytes, transfer, genesis, nowMs),
    verifiers: await addressesAt(sources, transfer?.verifiers ?? []),
    ...(transfer && (await disputeOf(sources, transfer))),
    proof: { entry: bytesToHex(bytes), path: path.map(bytesToHex), checkpoint: describeSeal(seal) },
  };
}

async function transferAt({ database }: TransactionSources, entry: number): Promise<Transfer | undefined> {
  const row = await database
    .selectFrom('ledger_transfer')
    .select('record')
    .where('entry', '=', entry)
    .executeTakeFirst();
  return row && decodeTransfer(new Uint8Array(row.record));
}

async function addressesAt({ database }: TransactionSources, places: readonly number[]): Promise<string[]> {
  const rows = await database
    .selectFrom('ledger_account')
    .select(['position', 'address'])
    .where('position', 'in', places)
    .execute();
  const addresses = new Map(rows.map(({ position, address }) => [position, address]));
  return places.map((place) => addresses.get(place)!);
}

async function disputeOf(
  { database, genesis }: TransactionSources,
  { hash }: Transfer,
): Promise<Pick<Detail, 'dispute'>> {
  const row = await database
    .selectFrom('ledger_dispute')
    .selectAll()
    .where('hash', '=', bytesToHex(hash))
    .executeTakeFirst();
  if (!row) return {};
  const dispute = decodeDispute(new Uint8Array(row.record));
  const entries = await database
    .selectFrom('ledger_entry')
    .select('bytes')
    .where('position', 'in', dispute.reports)
    .orderBy('position')
    .execute();
  const reports = entries.flatMap(({ bytes }) => {
    const entry = decodeEntry(new Uint8Array(bytes));
    if (entry.kind !== 'report') return [];
    const { publicKey, reason } = entry.signed.report;
    return [{ address: encodeAddress(publicKey), reason, timeMs: entry.timeMs }];
  });
  return { dispute: describeDispute(genesis, dispute, reports) };
}
