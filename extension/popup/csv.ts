/** A history as CSV (RFC 4180), for spreadsheets. */
import { formatAlc } from '../../shared/ledger/money.ts';
import type { TransactionDetail } from '../../shared/replica/wallet-types.ts';
import type { Names } from '../wallet-messages.ts';
import { counterpartyOf, roleIn } from './transactions.ts';

const COLUMNS = [
  'date',
  'type',
  'direction',
  'amount ALC',
  'fee ALC',
  'counterparty',
  'username',
  'memo',
  'state',
  'confirmations',
  'hash',
];

/** Lines end with CRLF. The fee is what this wallet paid. */
export function csvOf(transactions: TransactionDetail[], address: string, names: Names): string {
  const rows = transactions.map((transaction) => rowOf(transaction, address, names));
  return [COLUMNS, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

function rowOf(transaction: TransactionDetail, address: string, names: Names): string[] {
  const isSender = roleIn(transaction, address) === 'sender';
  const counterparty = counterpartyOf(transaction, address) ?? '';
  return [
    new Date(transaction.timeMs).toISOString(),
    transaction.type,
    isSender ? 'out' : 'in',
    formatAlc(BigInt(transaction.amountMicroAlc)),
    isSender ? formatAlc(BigInt(transaction.feeMicroAlc)) : '0',
    counterparty,
    names[counterparty] ?? '',
    transaction.memo,
    transaction.state,
    transaction.type === 'transfer' ? String(transaction.confirmations) : '',
    transaction.hash,
  ];
}

/** Others write memos: one that begins like a formula would run in a spreadsheet, so it is made text by an apostrophe. */
function cell(text: string): string {
  const safe = /^\s*[=+\-@]|^[\t\r\n]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
