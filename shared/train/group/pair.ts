/** What two members of a group share that nobody else knows: X25519 (RFC 7748), hashed for each use. */
import { x25519 } from '@noble/curves/ed25519.js';
import { concatBytes, hexToBytes, randomBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { sha256 } from '../../bytes/sha256-sync.ts';
import { domain } from '../../ledger/binary.ts';

export interface KeyPair {
  secret: Uint8Array;
  public: Uint8Array;
}

const PAIR = domain('group/pair');
const SELF = domain('group/self');
const BOX = domain('group/box');
const IV_BYTES = 12;

export function newKeyPair(): KeyPair {
  const secret = randomBytes(32);
  return { secret, public: x25519.getPublicKey(secret) };
}

/** The public key (hex bytes) of a secret one. */
export function publicKeyOf(secret: Uint8Array): Uint8Array {
  return x25519.getPublicKey(secret);
}

/** The seed of the mask that two members share in a unit: the same for both. Throws for a key of small order. */
export function pairSeed(secret: Uint8Array, theirKey: Uint8Array, unit: string): Uint8Array {
  return sha256(concatBytes(PAIR, hexToBytes(unit), x25519.getSharedSecret(secret, theirKey)));
}

/** The seed of a member's own mask in a unit. */
export function selfSeed(secret: Uint8Array, unit: string): Uint8Array {
  return sha256(concatBytes(SELF, hexToBytes(unit), secret));
}

/** Who sends what to whom. */
export interface Route {
  unit: string;
  from: string;
  to: string;
}

/** AES-256-GCM with the pair's key; only on its own route it opens. */
export async function sealFor(route: Route, secret: Uint8Array, theirKey: Uint8Array, plain: Uint8Array) {
  const iv = randomBytes(IV_BYTES);
  const key = await boxKey(route, secret, theirKey, 'encrypt');
  const sealed = await crypto.subtle.encrypt(
    { name: 'AES-GCM', iv, additionalData: pathOf(route) },
    key,
    plain.slice(),
  );
  return concatBytes(iv, new Uint8Array(sealed));
}

/** Throws OperationError for what was not sealed on this route. */
export async function openFrom(route: Route, secret: Uint8Array, theirKey: Uint8Array, sealed: Uint8Array) {
  const iv = sealed.slice(0, IV_BYTES);
  const key = await boxKey(route, secret, theirKey, 'decrypt');
  const algorithm = { name: 'AES-GCM', iv, additionalData: pathOf(route) };
  return new Uint8Array(await crypto.subtle.decrypt(algorithm, key, sealed.slice(IV_BYTES)));
}

function boxKey({ unit }: Route, secret: Uint8Array, theirKey: Uint8Array, use: 'encrypt' | 'decrypt') {
  const key = sha256(concatBytes(BOX, hexToBytes(unit), x25519.getSharedSecret(secret, theirKey)));
  return crypto.subtle.importKey('raw', key, 'AES-GCM', false, [use]);
}

function pathOf({ unit, from, to }: Route): Uint8Array<ArrayBuffer> {
  return utf8ToBytes(`${unit} ${from} ${to}`) as Uint8Array<ArrayBuffer>;
}
