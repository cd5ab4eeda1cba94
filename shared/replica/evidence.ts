/** Evidence as it is stored: JSON with bytes in hex. */
import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import * as v from 'valibot';
import { type ErrorCode, isErrorCode } from '../errors/index.ts';
import { corrupt } from './pages.ts';
import type { Evidence } from './types.ts';

const Bytes = v.pipe(v.string(), v.regex(/^([0-9a-f]{2})*$/), v.transform(hexToBytes));
const Seal = v.object({ bytes: Bytes, signature: Bytes });
const Code = v.pipe(
  v.string(),
  v.check(isErrorCode),
  v.transform((code) => code as ErrorCode),
);
const Stored = v.object({
  kind: v.picklist(['fork', 'rewrite', 'rule', 'state']),
  older: v.exactOptional(Seal),
  newer: Seal,
  index: v.exactOptional(v.number()),
  entry: v.exactOptional(v.object({ before: v.exactOptional(Bytes), now: Bytes })),
  reason: v.object({ code: Code, message: v.string() }),
  noticedMs: v.number(),
});

export function encodeEvidence(evidence: Evidence): Uint8Array {
  const text = JSON.stringify(evidence, (_, value) => (value instanceof Uint8Array ? bytesToHex(value) : value));
  return utf8ToBytes(text);
}

/** Throws LEDGER_CORRUPT. */
export function decodeEvidence(bytes: Uint8Array): Evidence {
  try {
    return v.parse(Stored, JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    throw corrupt('its evidence cannot be read');
  }
}
