/**
 * Reports: a wallet's word that a transfer is bad, and why.
 *
 *     "ailo/report/v1\0"  network id (32)  wallet (32)  transfer's hash (32)  reason length (1)  reason   signature (64)
 *
 * Little-endian; the reason is 1–128 bytes of UTF-8 for people, no rule reads it.
 */
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { AiloError } from '../errors/index.ts';
import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from '../wallet/public-key.ts';
import type { SigningKey } from '../wallet/wallet.ts';
import { decodeText, domain, HASH_BYTES, RecordReader, RecordWriter } from './binary.ts';
import { MAX_REASON_BYTES } from './limits.ts';

export interface Report {
  networkId: Uint8Array;
  /** Public key of who reports. */
  publicKey: Uint8Array;
  /** Hash of the transfer. */
  transfer: Uint8Array;
  /** 1–128 bytes of UTF-8. */
  reason: string;
}

export interface SignedReport {
  report: Report;
  /** What was signed. */
  bytes: Uint8Array;
  signature: Uint8Array;
}

const DOMAIN = domain('report');

/** Throws REPORT_INVALID for a reason that has no encoding. */
export function encodeReport({ networkId, publicKey, transfer, reason }: Report): Uint8Array {
  const text = utf8ToBytes(reason);
  checkReason(text.length);
  if (decodeText(text) !== reason) throw invalid('its reason is not text');
  return new RecordWriter()
    .bytes(DOMAIN)
    .fixed(networkId, HASH_BYTES)
    .fixed(publicKey, PUBLIC_KEY_BYTES)
    .fixed(transfer, HASH_BYTES)
    .u8(text.length)
    .bytes(text)
    .finish();
}

export function signReport(key: SigningKey, report: Report): SignedReport {
  const bytes = encodeReport(report);
  return { report, bytes, signature: key.sign(bytes) };
}

/** Reads `bytes ‖ signature`. Throws REPORT_INVALID; checks no signature. */
export function decodeReport(signed: Uint8Array): SignedReport {
  const reader = new RecordReader(signed, invalid);
  reader.domain(DOMAIN);
  const networkId = reader.fixed(HASH_BYTES);
  const publicKey = reader.fixed(PUBLIC_KEY_BYTES);
  const transfer = reader.fixed(HASH_BYTES);
  const reasonBytes = reader.u8();
  checkReason(reasonBytes);
  const reason = decodeText(reader.bytes(reasonBytes));
  if (reason === undefined) throw invalid('its reason is not UTF-8');
  const signature = reader.fixed(SIGNATURE_BYTES);
  reader.end();
  return {
    report: { networkId, publicKey, transfer, reason },
    bytes: signed.slice(0, -SIGNATURE_BYTES),
    signature,
  };
}

function checkReason(bytes: number): void {
  if (bytes < 1 || bytes > MAX_REASON_BYTES) {
    throw invalid(`its reason has ${bytes} bytes, not 1 to ${MAX_REASON_BYTES}`);
  }
}

function invalid(reason: string): AiloError {
  return AiloError.of('REPORT_INVALID', { reason });
}
