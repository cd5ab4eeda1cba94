/** The coordinator's public HTTP API: paths and the JSON that comes back. Amounts are decimal strings of µALC. */
import * as v from 'valibot';
import { USERNAME } from '../ledger/limits.ts';
import { MODES } from '../train/campaign/modes.ts';
import { AccountSummary, NodeId } from './messages.ts';

export const paths = {
  health: '/healthz',
  network: '/v1/network',
  account: (address: string) => `/v1/accounts/${address}`,
  /** Newest first; `?before=INDEX&limit=N` (at most 100). */
  transactions: (address: string) => `/v1/accounts/${address}/transactions`,
  receipt: (reference: string) => `/v1/receipts/${reference}`,
  checkpoint: '/v1/checkpoint',
  /** 256 entries as bytes (ledger/tile.ts), for ever the same. */
  tile: (index: number | string) => `/v1/tiles/${index}`,
  /** The first `width` entries of the tile, for ever the same, too: how the log's end is fetched. */
  partialTile: (index: number | string, width: number | string) => `/v1/tiles/${index}/${width}`,
  /** `?from=SIZE&to=SIZE` */
  consistency: '/v1/proofs/consistency',
  transaction: (hash: string) => `/v1/transactions/${hash}`,
  username: (username: string) => `/v1/usernames/${username}`,
  /** POST of a Submission. */
  submissions: '/v1/submissions',
  manifest: (model: string) => `/models/${model}/manifest.json`,
  campaigns: '/v1/campaigns',
  /** The campaign file. */
  campaign: (id: string) => `/v1/campaigns/${id}`,
  /** A file of its tokenizer. */
  campaignFile: (id: string, file: string) => `/v1/campaigns/${id}/files/${file}`,
  /** Token ids of a shard, int32 little-endian. */
  shard: (id: string, shard: number | string) => `/v1/campaigns/${id}/shards/${shard}`,
  /** The canonical weights before the round, f32 little-endian; the newest rounds only. */
  weights: (id: string, round: number | string) => `/v1/campaigns/${id}/weights/${round}`,
  /** What the round changed: an update, for ever the same. */
  delta: (id: string, round: number | string) => `/v1/campaigns/${id}/deltas/${round}`,
  /** PUT of an update, signed by the wallet that the unit was assigned to. */
  update: (id: string, unit: string) => `/v1/campaigns/${id}/updates/${unit}`,
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

const Address = NodeId;
const Signature = v.pipe(v.string(), v.regex(/^[0-9a-f]{128}$/));

/** A checkpoint, readable, beside the bytes that the network's key signed. */
export const CheckpointResponse = v.object({
  size: v.number(),
  root: Hash,
  stateHash: Hash,
  timeMs: v.number(),
  bytes: v.pipe(v.string(), v.regex(/^([0-9a-f]{2}){1,512}$/)),
  signature: Signature,
});
export type CheckpointResponse = v.InferOutput<typeof CheckpointResponse>;

/** A transaction with what is known of it, and the proof that it stands in the log that `checkpoint` seals. */
export const TransactionResponse = v.object({
  ...TransactionRecord.entries,
  /** Who verified it, in that order. */
  verifiers: v.array(Address),
  /** Of a transfer that was reported. */
  dispute: v.optional(
    v.object({
      activeNodes: v.number(),
      /** Reports that make it disputed. */
      needed: v.number(),
      reports: v.array(v.object({ address: Address, reason: v.string(), timeMs: v.number() })),
      disputedMs: v.optional(v.number()),
    }),
  ),
  /** The entry's bytes, whose leaf hash the proof is about; RFC 6962 inclusion path, hex. */
  proof: v.object({
    entry: v.pipe(v.string(), v.regex(/^([0-9a-f]{2})+$/)),
    path: v.array(Hash),
    checkpoint: CheckpointResponse,
  }),
});
export type TransactionResponse = v.InferOutput<typeof TransactionResponse>;

/** RFC 6962 consistency proof between two sizes of the log, hex. */
export const ConsistencyResponse = v.object({ from: v.number(), to: v.number(), proof: v.array(Hash) });

export const UsernameResponse = v.object({ username: v.pipe(v.string(), v.regex(USERNAME)), address: Address });

/** What a wallet signed: `bytes ‖ signature` of one of the ledger's records, hex. */
export const Submission = v.strictObject({
  kind: v.picklist(['transfer', 'registration', 'cosignature', 'report']),
  signed: v.pipe(v.string(), v.regex(/^([0-9a-f]{2}){64,1024}$/, 'it must be hex of 64 to 1024 bytes')),
});
export type Submission = v.InferOutput<typeof Submission>;

/** Answered when the entry is sealed in a checkpoint; again for the same submission, however often it is made. */
export const SubmissionResponse = v.object({ index: v.number() });

/** Of the weights before a round (from 0), on held-out text; nats per token. */
const CampaignLoss = v.object({ round: v.number(), loss: v.number() });
export type CampaignLoss = v.InferOutput<typeof CampaignLoss>;

/** How far each campaign has come. */
export const CampaignsResponse = v.object({
  campaigns: v.array(
    v.object({
      id: v.string(),
      mode: v.picklist(MODES),
      /** Of a campaign of local texts: so many are in every sum at least, and what its noise is worth. */
      groups: v.optional(
        v.object({
          threshold: v.number(),
          noise: v.optional(v.object({ epsilon: v.number(), delta: v.number() })),
        }),
      ),
      phase: v.picklist(['waiting', 'training', 'validating', 'aggregating', 'finished']),
      paused: v.boolean(),
      round: v.number(),
      rounds: v.number(),
      workers: v.number(),
      /** SHA-256 of the canonical weights. */
      weights: Hash,
      /** The last rounds. */
      losses: v.array(CampaignLoss),
    }),
  ),
});
export type CampaignSummary = CampaignsResponse['campaigns'][number];
export type CampaignsResponse = v.InferOutput<typeof CampaignsResponse>;

/** Header of an uploaded update: whose it is, and its signature over `uploadBytes`. */
export const UPLOAD_HEADERS = { publicKey: 'x-ailo-public-key', signature: 'x-ailo-signature' } as const;

export const NetworkResponse = v.object({ networkId: Hash, name: v.string(), genesis: v.unknown(), publicKey: Hash });
