/** What was published, as the API gives it. */
import { bytesToHex } from '@noble/hashes/utils.js';
import { equalBytes, ZERO_HASH } from '../../shared/ledger/binary.ts';
import { decodeEntry } from '../../shared/ledger/entry.ts';
import { decodeAccount, decodeTransfer } from '../../shared/ledger/records.ts';
import { paidWallets } from '../../shared/ledger/rewards.ts';
import type { SignedTransaction } from '../../shared/ledger/transaction.ts';
import type { TransactionRecord } from '../../shared/protocol/http.ts';
import type { AccountSummary } from '../../shared/protocol/messages.ts';
import { encodeAddress } from '../../shared/wallet/address.ts';
import type { Database } from '../store/database.ts';
import { utcDay } from './accounts.ts';
import { describeReceipt, receiptIn } from './inference.ts';
import { MAX_PAGE_TRANSACTIONS } from './limits.ts';
import type { ReceiptRecord } from './types.ts';

export class LedgerReader {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async account(address: string, nowMs: number): Promise<AccountSummary> {
    const row = await this.#db
      .selectFrom('ledger_account')
      .selectAll()
      .where('address', '=', address)
      .executeTakeFirst();
    const account = row && decodeAccount(new Uint8Array(row.record));
    return {
      address,
      availableMicroAlc: String(account?.availableMicroAlc ?? 0n),
      pendingMicroAlc: String(account?.pendingMicroAlc ?? 0n),
      earnedTodayMicroAlc: row?.earned_day === utcDay(nowMs) ? row.earned_on_day : '0',
      earnedTotalMicroAlc: row?.earned_total ?? '0',
      transactions: row?.transactions ?? 0,
    };
  }

  async transactions(
    address: string,
    { before = Number.MAX_SAFE_INTEGER, limit }: { before?: number | undefined; limit: number },
  ): Promise<{ transactions: TransactionRecord[]; next?: number }> {
    const size = Math.min(Math.max(limit, 1), MAX_PAGE_TRANSACTIONS);
    const rows = await this.#db
      .selectFrom('ledger_party')
      .innerJoin('ledger_entry', 'ledger_entry.position', 'ledger_party.position')
      .select(['ledger_entry.position', 'ledger_entry.bytes'])
      .where('ledger_party.address', '=', address)
      .where('ledger_party.position', '<', before)
      .orderBy('ledger_party.position', 'desc')
      .limit(size + 1)
      .execute();
    const page = rows.slice(0, size);
    const transactions = await Promise.all(page.map(({ position, bytes }) => this.#describe(position, bytes)));
    const last = page.at(-1);
    return rows.length > size && last ? { transactions, next: last.position } : { transactions };
  }

  async receipt(hash: string): Promise<ReceiptRecord | undefined> {
    const row = await this.#db
      .selectFrom('ledger_receipt')
      .innerJoin('ledger_entry', 'ledger_entry.position', 'ledger_receipt.position')
      .select('ledger_entry.bytes')
      .where('ledger_receipt.hash', '=', hash)
      .executeTakeFirst();
    return row && describeReceipt(new Uint8Array(row.bytes));
  }

  /** Where the receipt of the job stands. */
  async receiptOfJob(job: string): Promise<number | undefined> {
    const row = await this.#db
      .selectFrom('ledger_receipt')
      .select('position')
      .where('job', '=', job)
      .executeTakeFirst();
    return row?.position;
  }

  /** The rewards that stand behind the receipt at `position`. */
  async rewardsOf(position: number): Promise<TransactionRecord[]> {
    const { receipt } = receiptIn(await this.entry(position));
    const first = position + 1;
    const rewards = await this.#entries(first, first + paidWallets(receipt).length);
    return Promise.all(rewards.map((row) => this.#describe(row.position, row.bytes)));
  }

  async entry(position: number): Promise<Uint8Array> {
    const [row] = await this.#entries(position, position + 1);
    if (!row) throw new RangeError(`the log has no entry ${position}`);
    return new Uint8Array(row.bytes);
  }

  #entries(start: number, end: number): Promise<{ position: number; bytes: Uint8Array }[]> {
    return this.#db
      .selectFrom('ledger_entry')
      .selectAll()
      .where('position', '>=', start)
      .where('position', '<', end)
      .orderBy('position')
      .execute();
  }

  async #describe(position: number, bytes: Uint8Array): Promise<TransactionRecord> {
    const entry = decodeEntry(new Uint8Array(bytes));
    if (entry.kind !== 'transaction') throw new RangeError(`entry ${position} is no transaction`);
    return { index: position, ...describe(entry.signed), ...(await this.#standing(entry.signed)) };
  }

  async #standing({
    transaction,
    hash,
  }: SignedTransaction): Promise<Pick<TransactionRecord, 'state' | 'confirmations'>> {
    // What the network itself adds needs no confirmation.
    if (transaction.type !== 'transfer') return { state: 'confirmed', confirmations: 0 };
    const row = await this.#db
      .selectFrom('ledger_transfer')
      .select('record')
      .where('hash', '=', bytesToHex(hash))
      .executeTakeFirstOrThrow();
    const { confirmed, trouble, verifiers } = decodeTransfer(new Uint8Array(row.record));
    const calm = confirmed ? 'confirmed' : 'pending';
    return { state: trouble === 'none' ? calm : trouble, confirmations: verifiers.length };
  }
}

function describe({ transaction, hash }: SignedTransaction) {
  const { type, from, to, reference } = transaction;
  return {
    hash: bytesToHex(hash),
    type,
    ...(type === 'transfer' && { from: encodeAddress(from) }),
    to: encodeAddress(to),
    amountMicroAlc: String(transaction.amountMicroAlc),
    feeMicroAlc: String(transaction.feeMicroAlc),
    timeMs: transaction.timeMs,
    ...(!equalBytes(reference, ZERO_HASH) && { reference: bytesToHex(reference) }),
    memo: transaction.memo,
  };
}
