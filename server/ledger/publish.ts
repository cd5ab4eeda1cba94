/** Writing what readers look up, for a batch that has become part of the log. All of it follows from the log. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { Transaction as DatabaseTransaction, Insertable } from 'kysely';
import { type Batch, workOf } from '../../shared/ledger/batch.ts';
import type { SignedEntry } from '../../shared/ledger/entry.ts';
import { TILE_ENTRIES } from '../../shared/ledger/limits.ts';
import { encodeDispute, encodeTransfer } from '../../shared/ledger/records.ts';
import type { Tables } from '../store/database.ts';
import { publishAccounts } from './accounts.ts';
import { ROWS_PER_STATEMENT } from './limits.ts';
import { partiesOf } from './parties.ts';
import { slices } from './slices.ts';

export async function publishBatch(tx: DatabaseTransaction<Tables>, batch: Batch): Promise<void> {
  await publishAccounts(tx, batch);
  await publishTransfers(tx, batch);
  await publishDisputes(tx, batch);
  const { signed, parties, receipts } = indexesOf(batch);
  await insertAll(tx, 'ledger_tile', tilesOf(batch));
  await insertAll(tx, 'ledger_signed', signed);
  await insertAll(tx, 'ledger_party', parties);
  await insertAll(tx, 'ledger_receipt', receipts);
}

async function insertAll<T extends keyof Tables>(
  tx: DatabaseTransaction<Tables>,
  table: T,
  rows: Insertable<Tables[T]>[],
): Promise<void> {
  for (const some of slices(rows, ROWS_PER_STATEMENT)) await tx.insertInto(table).values(some).execute();
}

/** What identifies something that was signed: for a transaction its hash. */
export function signedHash(entry: SignedEntry): Uint8Array {
  return entry.kind === 'transaction' ? entry.signed.hash : sha256(entry.signed.bytes);
}

async function publishTransfers(tx: DatabaseTransaction<Tables>, batch: Batch): Promise<void> {
  const rows = [...batch.changed.transfers].map(([position, transfer]) => ({
    position,
    entry: transfer.index,
    record: encodeTransfer(transfer),
  }));
  for (const some of slices(rows, ROWS_PER_STATEMENT)) {
    await tx
      .insertInto('ledger_transfer')
      .values(some)
      .onConflict((conflict) =>
        conflict.column('position').doUpdateSet(({ ref }) => ({ record: ref('excluded.record') })),
      )
      .execute();
  }
}

async function publishDisputes(tx: DatabaseTransaction<Tables>, batch: Batch): Promise<void> {
  const rows = [...batch.changed.disputes].map(([position, dispute]) => ({
    position,
    hash: bytesToHex(dispute.transfer),
    record: encodeDispute(dispute),
  }));
  for (const some of slices(rows, ROWS_PER_STATEMENT)) {
    await tx
      .insertInto('ledger_dispute')
      .values(some)
      .onConflict((conflict) =>
        conflict.column('position').doUpdateSet(({ ref }) => ({ record: ref('excluded.record') })),
      )
      .execute();
  }
}

/** The roots of the tiles that the batch fills. */
function tilesOf({ start, tip: { log } }: Batch): Tables['ledger_tile'][] {
  const tiles: Tables['ledger_tile'][] = [];
  for (let index = Math.floor(start / TILE_ENTRIES); (index + 1) * TILE_ENTRIES <= log.size; index++) {
    const root = log.tileRoot(index);
    if (!root) throw new RangeError(`tile ${index} of a log of ${log.size} is too far back`);
    tiles.push({ index, root });
  }
  return tiles;
}

function indexesOf(batch: Batch) {
  const { state } = batch.tip;
  const signed: Tables['ledger_signed'][] = [];
  const parties: Tables['ledger_party'][] = [];
  const receipts: Tables['ledger_receipt'][] = [];
  for (const { position, entry } of batch.entries) {
    if (entry.kind === 'receipt' || entry.kind === 'training-receipt') {
      receipts.push({ hash: bytesToHex(entry.hash), job: workOf(entry)!, position });
      continue;
    }
    signed.push({ hash: signedHash(entry), position });
    if (entry.kind === 'transaction') {
      for (const party of partiesOf(entry.signed.transaction)) {
        parties.push({ account: state.placeOf(party)!, position });
      }
    }
  }
  return { signed, parties, receipts };
}
