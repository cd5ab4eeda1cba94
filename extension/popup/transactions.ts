/** A wallet's history from the coordinator's HTTP API. */
import * as v from 'valibot';
import { AiloError } from '../../shared/errors/index.ts';
import { paths, type TransactionRecord, TransactionsResponse } from '../../shared/protocol/http.ts';
import { WireErrorSchema } from '../../shared/protocol/messages.ts';
import { alc } from '../ui/format.ts';

const PAGE = 20;

export interface HistoryRequest {
  coordinatorUrl: string;
  address: string;
  /** From the page before. */
  before?: number;
  signal: AbortSignal;
}

/** Newest first. Throws UNREACHABLE, MESSAGE_INVALID, and what the coordinator answers. */
export async function fetchTransactions(
  { coordinatorUrl, address, before, signal }: HistoryRequest,
  fetchFrom: typeof fetch = fetch,
): Promise<v.InferOutput<typeof TransactionsResponse>> {
  const url = new URL(paths.transactions(address), coordinatorUrl);
  url.searchParams.set('limit', String(PAGE));
  if (before !== undefined) url.searchParams.set('before', String(before));
  const response = await fetchFrom(url, { signal }).catch((cause) => {
    throw AiloError.of('UNREACHABLE', { url: coordinatorUrl }, cause);
  });
  const body: unknown = await response.json().catch(() => undefined);
  if (!response.ok) {
    const refusal = v.safeParse(WireErrorSchema, body);
    throw refusal.success ? AiloError.fromWire(refusal.output) : AiloError.of('UNREACHABLE', { url: coordinatorUrl });
  }
  const page = v.safeParse(TransactionsResponse, body);
  if (page.success) return page.output;
  throw AiloError.of('MESSAGE_INVALID', { type: 'transactions', reason: page.issues[0].message });
}

const TYPES: Record<TransactionRecord['type'], string> = {
  'training-reward': 'Training reward',
  'inference-reward': 'Answer reward',
  transfer: 'Transfer',
  reversal: 'Reversal',
};

const STATES: Record<TransactionRecord['state'], string> = {
  pending: 'Pending',
  confirmed: 'Confirmed',
  reported: 'Reported',
  disputed: 'Disputed',
  reversed: 'Reversed',
};

export interface TransactionLine {
  title: string;
  amount: string;
  isIncoming: boolean;
  state: string;
}

/** How a transaction looks to the wallet `address`. */
export function lineOf(record: TransactionRecord, address: string): TransactionLine {
  const isIncoming = record.to === address;
  const direction = record.type === 'transfer' ? (isIncoming ? ' received' : ' sent') : '';
  return {
    title: `${TYPES[record.type]}${direction}`,
    amount: `${isIncoming ? '+' : '−'}${alc(record.amountMicroAlc)}`,
    isIncoming,
    state: STATES[record.state],
  };
}
