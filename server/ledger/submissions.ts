/**
 * What wallets submit. Bytes are decoded and their signature is checked before the sequencer's turn, which every other
 * booking waits for; only the rules, which need the log's end, are checked within it.
 */
import { AiloError } from '../../shared/errors/index.ts';
import type { Batch } from '../../shared/ledger/batch.ts';
import { equalBytes } from '../../shared/ledger/binary.ts';
import { decodeCosignature } from '../../shared/ledger/cosignature.ts';
import {
  type Entry,
  encodeReportEntry,
  encodeSignedEntry,
  type SignedEntry,
  signatureIn,
} from '../../shared/ledger/entry.ts';
import { decodeRegistration, encodeRegistration } from '../../shared/ledger/registration.ts';
import { decodeReport } from '../../shared/ledger/report.ts';
import { checkReport } from '../../shared/ledger/report-rules.ts';
import type { StateView } from '../../shared/ledger/state.ts';
import { decodeSigned } from '../../shared/ledger/transaction.ts';
import type { Submission } from '../../shared/protocol/http.ts';
import { checkPublicKey } from '../../shared/wallet/public-key.ts';
import type { Verifier } from '../../shared/wallet/verifier.ts';
import { activeSet } from './active-set.ts';
import { signedHash } from './publish.ts';

/** An entry without its place: its time and active set are the sequencer's to say. */
export type Submitted = SignedEntry;

/** Throws the error of the kind's format, and NOT_FROM_NETWORK for a transaction that no wallet can make. */
export function decodeSubmission(kind: Submission['kind'], signed: Uint8Array): Submitted {
  const timeMs = 0;
  switch (kind) {
    case 'transfer': {
      const transfer = decodeSigned(signed);
      if (transfer.transaction.type !== 'transfer') throw AiloError.of('NOT_FROM_NETWORK', {});
      return { kind: 'transaction', timeMs, signed: transfer };
    }
    case 'registration':
      return { kind, timeMs, signed: decodeRegistration(signed) };
    case 'cosignature':
      return { kind, timeMs, signed: decodeCosignature(signed) };
    case 'report':
      return { kind, timeMs, signed: decodeReport(signed), activeSet: [] };
  }
}

/**
 * The public key of who signed. Throws PUBLIC_KEY_INVALID, SIGNATURE_INVALID.
 *
 * @param isKnown whether a key has an account: then it was checked when it got it
 */
export async function verifySubmission(
  submitted: Submitted,
  verifier: Verifier,
  isKnown: (publicKey: Uint8Array) => boolean,
): Promise<Uint8Array> {
  const signature = signatureIn(submitted)!;
  if (!isKnown(signature.publicKey)) checkPublicKey(signature.publicKey);
  if (!(await verifier.verifyOne(signature))) throw AiloError.of('SIGNATURE_INVALID', {});
  return signature.publicKey;
}

export interface BookingContext {
  nowMs: number;
  /** Addresses of the nodes that were heard of lately. */
  presentNodes(): Iterable<string>;
  /** Where in the published log something stands that was signed, by its hash. */
  placeOfSigned(hash: Uint8Array): Promise<number | undefined>;
}

/**
 * Places the submission, or finds the place it has already. Throws the error of the rule it breaks.
 *
 * No rule lets anything in twice, so whether it is there matters only when a rule refused it.
 */
export async function bookSubmission(batch: Batch, submitted: Submitted, context: BookingContext): Promise<number> {
  try {
    return place(batch, submitted, context);
  } catch (error) {
    if (!(error instanceof AiloError)) throw error;
    const there = error.code === 'USERNAME_UNCHANGED' ? currentRegistration(batch, submitted) : submitted;
    const position = stagedPlace(batch, there) ?? (await context.placeOfSigned(signedHash(there)));
    if (position === undefined) throw error;
    return position;
  }
}

function place(batch: Batch, submitted: Submitted, { nowMs, presentNodes }: BookingContext): number {
  const { state } = batch.tip;
  // A clock that was set back must not take the log back.
  const timeMs = Math.max(nowMs, state.totals.timeMs);
  if (submitted.kind !== 'report') {
    return batch.add(encodeSignedEntry(submitted.kind, timeMs, submitted.signed), { ...submitted, timeMs }).position;
  }
  const { report } = submitted.signed;
  checkReport(batch.network, state, report, timeMs);
  const isFirst = state.dispute(report.transfer) === undefined;
  const places = isFirst ? activeSet(batch.network.genesis, state, presentNodes(), timeMs) : [];
  if (isFirst && !places.includes(placeOf(state, report.publicKey))) throw AiloError.of('REPORT_NOT_ACTIVE', {});
  const bytes = encodeReportEntry(timeMs, submitted.signed, places);
  return batch.add(bytes, { ...submitted, timeMs, activeSet: places }).position;
}

function placeOf(state: StateView, publicKey: Uint8Array): number {
  return state.placeOf(publicKey) ?? -1;
}

function stagedPlace(batch: Batch, { signed }: Submitted): number | undefined {
  const isIt = (entry: Entry) => 'signed' in entry && equalBytes(entry.signed.bytes, signed.bytes);
  return batch.entries.find(({ entry }) => isIt(entry))?.position;
}

/** The registration by which the wallet has its name; only its bytes matter here. */
function currentRegistration(batch: Batch, submitted: Submitted): Submitted {
  const { publicKey } = signatureIn(submitted)!;
  const { username, registrations: number } = batch.tip.state.account(publicKey)!;
  const registration = { networkId: batch.network.id, publicKey, number, username };
  const signed = { registration, bytes: encodeRegistration(registration), signature: submitted.signed.signature };
  return { kind: 'registration', timeMs: submitted.timeMs, signed };
}
