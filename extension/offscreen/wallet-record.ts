/**
 * The wallet as it lies in a store: one line of JSON. Without a password the vault's key lies beside it. That keeps the
 * words out of plain sight (a search of the disk, a shared screenshot), not from somebody who has this computer. A key
 * that cannot be exported could lie in IndexedDB only, and losing that would lose the wallet: each copy stands alone.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import * as v from 'valibot';
import { NodeId } from '../../shared/protocol/messages.ts';
import { sealVault, Vault } from '../../shared/wallet/vault.ts';

export const MAX_RECORD_LENGTH = 4096;
const OPEN_KEY_BYTES = 32;
/** The key is as random as the cipher's own, so iterations would only cost time. */
const OPEN_ITERATIONS = 100_000;

const Body = v.strictObject({
  version: v.literal(1),
  /** When it was stored, or later: no two records of a wallet have the same. */
  savedMs: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** So that a locked wallet has a name. */
  address: NodeId,
  /** Whether the person has written the words down, and proved it. */
  backedUp: v.boolean(),
  vault: Vault,
  /** Only while there is no password: this opens the vault. */
  openKey: v.exactOptional(v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))),
});
export type WalletRecord = v.InferOutput<typeof Body>;

/** The record and the SHA-256 of it, since a damaged copy must not be taken for a wrong password. */
export function encodeRecord(record: WalletRecord): string {
  // The schema's own order of members, whatever the caller's is.
  const body = JSON.stringify(v.parse(Body, record));
  return JSON.stringify({ sha256: bytesToHex(sha256(utf8ToBytes(body))), body });
}

const Text = v.pipe(
  v.string(),
  v.maxLength(MAX_RECORD_LENGTH),
  v.parseJson(),
  v.strictObject({ sha256: v.string(), body: v.string() }),
  v.check(({ sha256: hash, body }) => hash === bytesToHex(sha256(utf8ToBytes(body)))),
  v.transform(({ body }) => body),
  v.parseJson(),
  Body,
);

/** Undefined: it is damaged, or not a record of ours. */
export function decodeRecord(text: unknown): WalletRecord | undefined {
  const { success, output } = v.safeParse(Text, text);
  return success ? output : undefined;
}

/** The two members of a record that hold `words`; `password` undefined: whoever has the record can open it. */
export async function sealWords(
  words: string,
  password: string | undefined,
  random: (length: number) => Uint8Array,
): Promise<Pick<WalletRecord, 'vault' | 'openKey'>> {
  if (password !== undefined) return { vault: await sealVault(words, password, { random }) };
  const openKey = bytesToHex(random(OPEN_KEY_BYTES));
  return { vault: await sealVault(words, openKey, { iterations: OPEN_ITERATIONS, random }), openKey };
}
