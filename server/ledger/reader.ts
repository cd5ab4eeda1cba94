/** What was published, as the API gives it. */
import type { Genesis } from '../../shared/ledger/genesis.ts';
import { decodeAccount, decodeTransfer } from '../../shared/ledger/records.ts';
import type { TransactionRecord } from '../../shared/protocol/http.ts';
import type { AccountSummary } from '../../shared/protocol/messages.ts';
import type { Database } from '../store/database.ts';
import { utcDay } from './accounts.ts';
import { describeEntry } from './describe.ts';
import { MAX_PAGE_TRANSACTIONS } from './limits.ts';
import { describeReceipt, receiptIn, rewardsBehind } from './receipts.ts';
import type { ReceiptRecord } from './types.ts';

export class LedgerReader {
  readonly #db: Database;
  readonly #genesis: Genesis;

  constructor(db: Database, genesis: Genesis) {
    this.#db = db;
    this.#genesis = genesis;
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

  async usernameOf(address: string): Promise<string | undefined> {
    const row = await this.#db
      .selectFrom('ledger_account')
      .select('username')
      .where('address', '=', address)
      .executeTakeFirst();
    return row?.username ?? undefined;
  }

  async ownerOf(username: string): Promise<string | undefined> {
    const row = await this.#db
      .selectFrom('ledger_account')
      .select('address')
      .where('username', '=', username)
      .executeTakeFirst();
    return row?.address;
  }

  async transactions(
    address: string,
    { before = Number.MAX_SAFE_INTEGER, limit }: { before?: number | undefined; limit: number },
    nowMs: number,
  ): Promise<{ transactions: TransactionRecord[]; next?: number }> {
    const size = Math.min(Math.max(limit, 1), MAX_PAGE_TRANSACTIONS);
    const rows = await this.#db
      .selectFrom('ledger_account')
      .innerJoin('ledger_party', 'ledger_party.account', 'ledger_account.position')
      .innerJoin('ledger_entry', 'ledger_entry.position', 'ledger_party.position')
      .leftJoin('ledger_transfer', 'ledger_transfer.entry', 'ledger_party.position')
      .select(['ledger_entry.position', 'ledger_entry.bytes', 'ledger_transfer.record'])
      .where('ledger_account.address', '=', address)
      .where('ledger_party.position', '<', before)
      .orderBy('ledger_party.position', 'desc')
      .limit(size + 1)
      .execute();
    const page = rows.slice(0, size);
    const transactions = page.map(({ position, bytes, record }) => {
      const transfer = record ? decodeTransfer(new Uint8Array(record)) : undefined;
      return describeEntry(position, new Uint8Array(bytes), transfer, this.#genesis, nowMs);
    });
    const last = page.at(-1);
    return rows.length > size && last ? { transactions, next: last.position } : { transactions };
  }

  /** Where something stands that was signed, by its hash. */
  async placeOfSigned(hash: Uint8Array): Promise<number | undefined> {
    const row = await this.#db
      .selectFrom('ledger_signed')
      .select('position')
      .where('hash', '=', hash)
      .executeTakeFirst();
    return row?.position;
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

  /** Where the receipt of the job or work unit stands. */
  async receiptOfWork(work: string): Promise<number | undefined> {
    const row = await this.#db
      .selectFrom('ledger_receipt')
      .select('position')
      .where('job', '=', work)
      .executeTakeFirst();
    return row?.position;
  }

  /** The rewards that stand behind the receipt at `position`. */
  async rewardsOf(position: number, nowMs: number): Promise<TransactionRecord[]> {
    const entry = receiptIn(await this.entry(position));
    const rewards = await this.#db
      .selectFrom('ledger_entry')
      .selectAll()
      .where('position', '>', position)
      .where('position', '<=', position + rewardsBehind(entry))
      .orderBy('position')
      .execute();
    return rewards.map((row) =>
      describeEntry(row.position, new Uint8Array(row.bytes), undefined, this.#genesis, nowMs),
    );
  }

  /** RangeError for one that is not there. */
  async entry(position: number): Promise<Uint8Array> {
    const row = await this.#db
      .selectFrom('ledger_entry')
      .select('bytes')
      .where('position', '=', position)
      .executeTakeFirst();
    if (!row) throw new RangeError(`the log has no entry ${position}`);
    return new Uint8Array(row.bytes);
  }
}
