/** What a page asks the wallet's service (shared/replica/wallet-types.ts) for, and what it is answered with. */
import * as v from 'valibot';
import { NodeId } from '../shared/protocol/messages.ts';
import type { Recipient, TransactionDetail } from '../shared/replica/wallet-types.ts';

/** Of one answer. */
export const MAX_HISTORY_PAGE = 200;
/** What somebody types or pastes as a recipient; an address has 62 characters. */
export const MAX_RECIPIENT_LENGTH = 128;
/** In characters; the ledger limits bytes, of which a character has one or more. */
const MAX_TEXT_LENGTH = 128;

const Hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const Text = v.pipe(v.string(), v.maxLength(MAX_TEXT_LENGTH));

export const walletRequests = [
  /** Newest first; `before`: the last page's `next`. */
  v.strictObject({
    type: v.literal('walletHistory'),
    before: v.exactOptional(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
    limit: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_HISTORY_PAGE)),
  }),
  v.strictObject({ type: v.literal('walletTransaction'), hash: Hash }),
  /** Whom an address, `name` or `@name` means. */
  v.strictObject({ type: v.literal('walletResolve'), to: v.pipe(v.string(), v.maxLength(MAX_RECIPIENT_LENGTH)) }),
  /** Signs and sends; answered when it stands in the ledger. */
  v.strictObject({
    type: v.literal('walletSend'),
    to: NodeId,
    amountMicroAlc: v.pipe(v.string(), v.regex(/^[1-9][0-9]{0,18}$/)),
    memo: Text,
  }),
  v.strictObject({ type: v.literal('walletReport'), hash: Hash, reason: Text }),
  /** Verifies up to now and cosigns. */
  v.strictObject({ type: v.literal('walletVerify'), hash: Hash }),
] as const;
export type WalletRequest = v.InferOutput<(typeof walletRequests)[number]>;

/** Usernames by address, of those who have one. */
export type Names = Record<string, string>;

export interface WalletResults {
  walletHistory(): { transactions: TransactionDetail[]; names: Names; next?: number };
  walletTransaction(): { transaction: TransactionDetail; names: Names };
  walletResolve(): Recipient;
  walletSend(): { hash: string };
  walletReport(): void;
  /** Whether this wallet's verification counts for the transfer. */
  walletVerify(): boolean;
}

export type WalletAnswers = {
  [R in WalletRequest as R['type']]: (request: R) => Promise<ReturnType<WalletResults[R['type']]>>;
};
