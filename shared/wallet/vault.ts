/**
 * A secret text under a password: PBKDF2-SHA-256 (RFC 8018 §5.2) makes the key, AES-256-GCM (NIST SP 800-38D) seals. The
 * parameters stand beside the ciphertext and are authenticated with it, so that nobody can weaken them unnoticed.
 */
import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import * as v from 'valibot';
import { AiloError } from '../errors/index.ts';

export const PASSWORD_MIN_LENGTH = 8;
export const PASSWORD_MAX_LENGTH = 1024;
/** Half a second on a slow phone; OWASP's figure for PBKDF2-SHA-256 was 600,000 in 2023. */
export const VAULT_ITERATIONS = 900_000;
const MIN_ITERATIONS = 100_000;
/** Of a file from anywhere: a few seconds, not for ever. */
const MAX_ITERATIONS = 10_000_000;
const SALT_BYTES = 16;
/** The IV length that GCM is made for (SP 800-38D §5.2.1.1). */
const IV_BYTES = 12;
const TAG_BYTES = 16;
export const MAX_SECRET_BYTES = 1024;

const hex = (minBytes: number, maxBytes = minBytes) =>
  v.pipe(v.string(), v.regex(new RegExp(`^(?:[0-9a-f]{2}){${minBytes},${maxBytes}}$`)));

export const Vault = v.strictObject({
  version: v.literal(1),
  kdf: v.strictObject({
    name: v.literal('PBKDF2-SHA-256'),
    iterations: v.pipe(v.number(), v.integer(), v.minValue(MIN_ITERATIONS), v.maxValue(MAX_ITERATIONS)),
    salt: hex(SALT_BYTES),
  }),
  cipher: v.strictObject({ name: v.literal('AES-256-GCM'), iv: hex(IV_BYTES) }),
  /** With the 16-byte tag at its end. */
  ciphertext: hex(TAG_BYTES, MAX_SECRET_BYTES + TAG_BYTES),
});
export type Vault = v.InferOutput<typeof Vault>;
type Header = Pick<Vault, 'version' | 'kdf' | 'cipher'>;

export interface SealOptions {
  iterations?: number;
  /** So many random bytes, fit for keys. */
  random(length: number): Uint8Array;
}

/** Throws PASSWORD_TOO_SHORT; RangeError for a secret of more than MAX_SECRET_BYTES or iterations out of bounds. */
export async function sealVault(secret: string, password: string, options: SealOptions): Promise<Vault> {
  const { iterations = VAULT_ITERATIONS, random } = options;
  if ([...normalise(password)].length < PASSWORD_MIN_LENGTH) {
    throw AiloError.of('PASSWORD_TOO_SHORT', { minLength: PASSWORD_MIN_LENGTH });
  }
  const header: Header = {
    version: 1,
    kdf: { name: 'PBKDF2-SHA-256', iterations, salt: bytesToHex(random(SALT_BYTES)) },
    cipher: { name: 'AES-256-GCM', iv: bytesToHex(random(IV_BYTES)) },
  };
  const key = await deriveKey(header, password, 'encrypt');
  const sealed = await crypto.subtle.encrypt(cipherOf(header), key, utf8ToBytes(secret) as Uint8Array<ArrayBuffer>);
  const vault = { ...header, ciphertext: bytesToHex(new Uint8Array(sealed)) };
  if (!v.is(Vault, vault)) throw new RangeError('the secret or the iterations are out of bounds');
  return vault;
}

/**
 * The secret text. Throws VAULT_INVALID for what is no vault, and PASSWORD_WRONG: a seal cannot tell a wrong password
 * from a vault that was changed.
 */
export async function openVault(vault: unknown, password: string): Promise<string> {
  const { success, output } = v.safeParse(Vault, vault);
  // The reason quotes nothing: the parser's own words would.
  if (!success) throw AiloError.of('VAULT_INVALID', { reason: 'it is not a vault of version 1' });
  const key = await deriveKey(output, password, 'decrypt');
  let opened: ArrayBuffer;
  try {
    const ciphertext = hexToBytes(output.ciphertext) as Uint8Array<ArrayBuffer>;
    opened = await crypto.subtle.decrypt(cipherOf(output), key, ciphertext);
  } catch {
    throw AiloError.of('PASSWORD_WRONG', {});
  }
  return new TextDecoder().decode(opened);
}

async function deriveKey({ kdf }: Header, password: string, usage: 'encrypt' | 'decrypt'): Promise<CryptoKey> {
  const bytes = utf8ToBytes(normalise(password)) as Uint8Array<ArrayBuffer>;
  const material = await crypto.subtle.importKey('raw', bytes, 'PBKDF2', false, ['deriveKey']);
  const salt = hexToBytes(kdf.salt) as Uint8Array<ArrayBuffer>;
  const parameters = { name: 'PBKDF2', hash: 'SHA-256', salt, iterations: kdf.iterations };
  return crypto.subtle.deriveKey(parameters, material, { name: 'AES-GCM', length: 256 }, false, [usage]);
}

function cipherOf(header: Header): AesGcmParams {
  const { version, kdf, cipher } = header;
  const { name, iterations, salt } = kdf;
  // Canonical: these members in this order, without spaces.
  const canonical = { version, kdf: { name, iterations, salt }, cipher: { name: cipher.name, iv: cipher.iv } };
  return {
    name: 'AES-GCM',
    iv: hexToBytes(cipher.iv) as Uint8Array<ArrayBuffer>,
    additionalData: utf8ToBytes(JSON.stringify(canonical)) as Uint8Array<ArrayBuffer>,
  };
}

/** One spelling for what keyboards write in several ways (é, full-width letters). */
function normalise(password: string): string {
  return password.normalize('NFKC');
}
