/** How transactions look to a wallet. */
import type { TransactionRecord } from '../../shared/protocol/http.ts';
import { alc, shortAddress } from '../ui/format.ts';
import type { Names } from '../wallet-messages.ts';

/** What the wallet has to do with a transaction. Rewards and returned payments are received from the network. */
export type Role = 'sender' | 'recipient' | 'other';

export function roleIn({ from, to }: TransactionRecord, address: string): Role {
  if (from === address) return 'sender';
  return to === address ? 'recipient' : 'other';
}

/** “@ada”, else the short address. */
export function nameOf(address: string, names: Names): string {
  const name = names[address];
  return name === undefined ? shortAddress(address) : `@${name}`;
}

/** Who is on the other side; undefined: the network. For a stranger's transfer, its recipient. */
export function counterpartyOf(record: TransactionRecord, address: string): string | undefined {
  return roleIn(record, address) === 'recipient' ? record.from : record.to;
}

export function titleOf(record: TransactionRecord, address: string, names: Names): string {
  const { type, from, to } = record;
  if (type === 'inference-reward') return 'Answer reward';
  if (type === 'training-reward') return 'Training reward';
  if (type === 'reversal') return 'Payment returned';
  switch (roleIn(record, address)) {
    case 'sender':
      return `Sent to ${nameOf(to, names)}`;
    case 'recipient':
      return `Received from ${nameOf(from!, names)}`;
    case 'other':
      return `${nameOf(from!, names)} to ${nameOf(to, names)}`;
  }
}

/** “+0.05 ALC”, as the wallet's balance sees it. */
export function amountOf(record: TransactionRecord, address: string): string {
  const sign = { sender: '−', recipient: '+', other: '' }[roleIn(record, address)];
  return `${sign}${alc(record.amountMicroAlc)}`;
}

/** What a line says under its title, after the time. */
export function subjectOf({ type, memo }: TransactionRecord): string {
  if (type === 'inference-reward') return 'a part of an answer computed';
  if (type === 'training-reward') return 'a unit of training computed';
  if (type === 'reversal') return 'most active nodes disputed it';
  return memo;
}

export const STATE_WORDS: Record<TransactionRecord['state'], string> = {
  pending: 'Pending',
  confirmed: 'Confirmed',
  reported: 'Reported',
  disputed: 'Disputed',
  reversed: 'Reversed',
};

/** Whether a wallet can still say that a transfer is bad, as far as it can be told without the active nodes. */
export function canReport(record: TransactionRecord, reportWindowMs: number, nowMs: number): boolean {
  const isSettled = record.state === 'disputed' || record.state === 'reversed';
  return record.type === 'transfer' && !isSettled && nowMs <= record.timeMs + reportWindowMs;
}
