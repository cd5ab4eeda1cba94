/**
 * What the outside vectors in `../shared/vectors` demand of us, as plain cases that any runner can hold: each function
 * takes the parsed JSON of one file. No test framework, no Node: the same module runs in a browser.
 */

import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { base64, bech32m } from '@scure/base';
import { mnemonicToEntropy, mnemonicToSeedSync } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { HDKey } from 'micro-key-producer/slip10.js';
import {
  verifyConsistency,
  verifyInclusion,
  verifySubtreeConsistency,
  verifySubtreeInclusion,
} from '../../shared/ledger/merkle-proof.ts';
import { decodeAddress } from '../../shared/wallet/address.ts';
import { checkPublicKey, verify } from '../../shared/wallet/public-key.ts';
import { newWords, normaliseWords, seedOfWords } from '../../shared/wallet/words.ts';

/** `actual` is compared with `expected` as JSON; what it throws is a failure. */
export interface Case {
  name: string;
  expected: unknown;
  actual(): unknown;
}

/** The cases that do not hold, with what came instead. */
export function failures(cases: Case[]): { name: string; expected: unknown; actual: unknown }[] {
  return cases
    .map(({ name, expected, actual }) => ({ name, expected, actual: attempt(actual) }))
    .filter(({ expected, actual }) => JSON.stringify(expected) !== JSON.stringify(actual));
}

function attempt(actual: () => unknown): unknown {
  try {
    return actual();
  } catch (error) {
    return { threw: String(error) };
  }
}

// --- Ed25519 --------------------------------------------------------------------------------------------------------

interface Wycheproof {
  testGroups: {
    publicKey: { pk: string };
    tests: { tcId: number; comment: string; msg: string; sig: string; result: 'valid' | 'invalid' }[];
  }[];
}

export function wycheproofCases({ testGroups }: Wycheproof): Case[] {
  return testGroups.flatMap(({ publicKey: { pk }, tests }) =>
    tests.map(({ tcId, comment, msg, sig, result }) => ({
      name: `wycheproof ${tcId} ${comment}`,
      expected: result === 'valid',
      actual: () => verify(hexToBytes(sig), hexToBytes(msg), hexToBytes(pk)),
    })),
  );
}

/**
 * Cases 0 and 1 have keys of small order, 2 to 5 keys or signatures with such a component that cofactored verification
 * accepts, 6 to 11 scalars or points that are not canonical or equations that don't hold.
 */
const SPECCHECK_ACCEPTED = [2, 3, 4, 5];
/** Those whose key is canonical and torsion-free. None is also accepted: Ed25519 is unambiguous on keys we take. */
const SPECCHECK_KEYS = [6, 7];

export function speccheckCases(vectors: { message: string; pub_key: string; signature: string }[]): Case[] {
  return vectors.flatMap(({ message, pub_key, signature }, i) => [
    {
      name: `speccheck ${i} signature`,
      expected: SPECCHECK_ACCEPTED.includes(i),
      actual: () => verify(hexToBytes(signature), hexToBytes(message), hexToBytes(pub_key)),
    },
    {
      name: `speccheck ${i} key`,
      expected: SPECCHECK_KEYS.includes(i),
      actual: () => isPublicKey(hexToBytes(pub_key)),
    },
  ]);
}

/** All have keys of small order, which ZIP-215 accepts and strict verification does not. */
export function zip215Cases(vectors: { vk_bytes: string; sig_bytes: string }[]): Case[] {
  return vectors.map(({ vk_bytes, sig_bytes }, i) => ({
    name: `zip215 ${i}`,
    expected: { signature: false, key: false },
    actual: () => ({
      signature: verify(hexToBytes(sig_bytes), utf8ToBytes('Zcash'), hexToBytes(vk_bytes)),
      key: isPublicKey(hexToBytes(vk_bytes)),
    }),
  }));
}

function isPublicKey(key: Uint8Array): boolean {
  try {
    checkPublicKey(key);
    return true;
  } catch {
    return false;
  }
}

// --- words and keys -------------------------------------------------------------------------------------------------

/** Trezor's list: [entropy, words, seed with the passphrase “TREZOR”, xprv]. */
export function bip39Cases({ english }: { english: [string, string, string, string][] }): Case[] {
  return english.flatMap(([entropy, words, seed]): Case[] => {
    const twelve = words.split(' ').length === 12;
    return [
      {
        name: `bip39 ${entropy} words`,
        expected: entropy,
        actual: () => bytesToHex(mnemonicToEntropy(words, wordlist)),
      },
      { name: `bip39 ${entropy} seed`, expected: seed, actual: () => bytesToHex(mnemonicToSeedSync(words, 'TREZOR')) },
      twelve
        ? {
            name: `bip39 ${entropy} as a wallet`,
            expected: [words, words, bytesToHex(mnemonicToSeedSync(words))],
            actual: () => [newWords(hexToBytes(entropy)), normaliseWords(words), bytesToHex(seedOfWords(words))],
          }
        : {
            name: `bip39 ${entropy} is no wallet`,
            expected: 'refused',
            actual: () => refusal(() => normaliseWords(words)),
          },
    ];
  });
}

interface Slip10 {
  title: string;
  seed: string;
  nodes: { path: string; chainCode: string; private: string; public: string }[];
}

export function slip10Cases(vectors: Slip10[]): Case[] {
  return vectors.flatMap(({ title, seed, nodes }) =>
    nodes.map((node) => ({
      name: `slip-0010 ${title} ${node.path}`,
      expected: [node.chainCode, node.private, node.public],
      actual: () => {
        const key = HDKey.fromMasterSeed(hexToBytes(seed)).derive(node.path);
        return [key.chainCode, key.privateKey, key.publicKey].map(bytesToHex);
      },
    })),
  );
}

type Bech32mText = `${string}1${string}`;

interface Bech32m {
  valid: { string: Bech32mText; prefix: string; words: number[] }[];
  /** To read, as text or (where it is no text) as bytes in hex; or to write. */
  invalid: (
    | { string: string; exception: string }
    | { stringHex: string; exception: string }
    | { prefix: string; words: number[]; limit?: number; exception: string }
  )[];
}

export function bech32mCases({ valid, invalid }: Bech32m): Case[] {
  return [
    ...valid.flatMap(({ string, prefix, words }): Case[] => [
      {
        name: `bech32m ${string}`,
        expected: { prefix: prefix.toLowerCase(), words },
        actual: () => {
          const decoded = bech32m.decode(string, string.length);
          return { prefix: decoded.prefix, words: decoded.words };
        },
      },
      {
        name: `bech32m ${string} written`,
        expected: string.toLowerCase(),
        actual: () => bech32m.encode(prefix.toLowerCase(), words, string.length),
      },
      {
        name: `bech32m ${string} is no address`,
        expected: 'refused',
        actual: () => refusal(() => decodeAddress(string)),
      },
    ]),
    ...invalid.flatMap((vector, i): Case[] => {
      const name = `bech32m invalid ${i} ${vector.exception}`;
      if ('prefix' in vector) {
        const { prefix, words, limit = 90 } = vector;
        return [{ name, expected: 'refused', actual: () => refusal(() => bech32m.encode(prefix, words, limit)) }];
      }
      const text = 'string' in vector ? vector.string : String.fromCharCode(...hexToBytes(vector.stringHex));
      return [
        { name, expected: 'refused', actual: () => refusal(() => bech32m.decode(text as Bech32mText)) },
        { name: `${name}, as an address`, expected: 'refused', actual: () => refusal(() => decodeAddress(text)) },
      ];
    }),
  ];
}

function refusal(attempt: () => unknown): 'accepted' | 'refused' {
  try {
    attempt();
    return 'accepted';
  } catch {
    return 'refused';
  }
}

// --- Merkle proofs --------------------------------------------------------------------------------------------------

/** Numbers over 2^53 stand as strings; hashes in base64; no proof as null. */
type Size = number | string;
interface Proof {
  proof: string[] | null;
  wantErr: boolean;
}

export function inclusionCases(
  vectors: Record<string, Proof & { leafIdx: Size; treeSize: Size; root: string; leafHash: string }>,
): Case[] {
  return Object.entries(vectors).map(([name, { leafIdx, treeSize, root, leafHash, proof, wantErr }]) => ({
    name,
    expected: !wantErr,
    actual: () => verifyInclusion(leaf(leafIdx, leafHash), Number(treeSize), hashes(proof), hash(root)),
  }));
}

export function consistencyCases(
  vectors: Record<string, Proof & { size1: Size; size2: Size; root1: string; root2: string }>,
): Case[] {
  return Object.entries(vectors).map(([name, { size1, size2, root1, root2, proof, wantErr }]) => ({
    name,
    expected: !wantErr,
    actual: () => verifyConsistency(tree(size1, root1), tree(size2, root2), hashes(proof)),
  }));
}

export function subtreeInclusionCases(
  vectors: Record<string, Proof & { leafIdx: Size; start: Size; end: Size; root: string; leafHash: string }>,
): Case[] {
  return Object.entries(vectors).map(([name, { leafIdx, start, end, root, leafHash, proof, wantErr }]) => ({
    name,
    expected: !wantErr,
    actual: () =>
      verifySubtreeInclusion(
        leaf(leafIdx, leafHash),
        { start: Number(start), end: Number(end) },
        hashes(proof),
        hash(root),
      ),
  }));
}

export function subtreeConsistencyCases(
  vectors: Record<string, Proof & { start: Size; end: Size; size: Size; root1: string; root2: string }>,
): Case[] {
  return Object.entries(vectors).map(([name, { start, end, size, root1, root2, proof, wantErr }]) => ({
    name,
    expected: !wantErr,
    actual: () =>
      verifySubtreeConsistency(
        { start: Number(start), end: Number(end), hash: hash(root1) },
        tree(size, root2),
        hashes(proof),
      ),
  }));
}

const hash = (text: string) => base64.decode(text);
const hashes = (proof: string[] | null) => (proof ?? []).map(hash);
const leaf = (index: Size, text: string) => ({ index: Number(index), hash: hash(text) });
const tree = (size: Size, root: string) => ({ size: Number(size), root: hash(root) });

/** File, its cases, and how many there must be: a file that was cut short must not pass. */
export const OUTSIDE_FILES: [path: string, make: (json: never) => Case[], count: number][] = [
  ['ed25519/wycheproof.json', wycheproofCases, 151],
  ['ed25519/speccheck.json', speccheckCases, 24],
  ['ed25519/zip215.json', zip215Cases, 196],
  ['bip39/trezor.json', bip39Cases, 72],
  ['slip-0010/ed25519.json', slip10Cases, 12],
  ['bech32m/bitcoinjs.json', bech32mCases, 63],
  ['rfc6962/inclusion.json', inclusionCases, 98],
  ['rfc6962/consistency.json', consistencyCases, 98],
  ['rfc6962/subtreeinclusion.json', subtreeInclusionCases, 204],
  ['rfc6962/subtreeconsistency.json', subtreeConsistencyCases, 118],
];
