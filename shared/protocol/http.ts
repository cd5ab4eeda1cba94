/** The coordinator's public HTTP API: paths and the JSON that comes back. Amounts are decimal strings of µALC. */
import * as v from 'valibot';
import { AccountSummary, NodeId } from './messages.ts';

export const paths = {
  health: '/healthz',
  network: '/v1/network',
  account: (address: string) => `/v1/accounts/${address}`,
  /** Newest first; `?before=INDEX&limit=N` (at most 100). */
  transactions: (address: string) => `/v1/accounts/${address}/transactions`,
  receipt: (reference: string) => `/v1/receipts/${reference}`,
  checkpoint: '/v1/checkpoint',
  manifest: (model: string) => `/models/${model}/manifest.json`,
  /** Answers Range requests. */
  modelFile: (model: string, path: string) => `/models/${model}/files/${path}`,
} as const;

const MicroAlc = v.pipe(v.string(), v.regex(/^-?(0|[1-9][0-9]{0,38})$/));
const Hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));

export const AccountResponse = v.object({ ...AccountSummary.entries, username: v.optional(v.string()) });

export const TransactionRecord = v.object({
  /** Place in the log, from 0. */
  index: v.number(),
  hash: Hash,
  type: v.picklist(['training-reward', 'inference-reward', 'transfer', 'reversal']),
  /** Absent for rewards and reversals: those come from the network. */
  from: v.optional(NodeId),
  to: NodeId,
  amountMicroAlc: MicroAlc,
  feeMicroAlc: MicroAlc,
  timeMs: v.number(),
  /** Hash of the receipt, for rewards. */
  reference: v.optional(Hash),
  memo: v.string(),
  state: v.picklist(['pending', 'confirmed', 'reported', 'disputed', 'reversed']),
  confirmations: v.number(),
});
export type TransactionRecord = v.InferOutput<typeof TransactionRecord>;

export const TransactionsResponse = v.object({
  transactions: v.array(TransactionRecord),
  /** Pass as `before` for the next page. */
  next: v.optional(v.number()),
});

export const NetworkResponse = v.object({ networkId: Hash, name: v.string(), genesis: v.unknown(), publicKey: Hash });
