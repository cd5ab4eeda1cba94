/**
 * The two files that make a coordinator the keeper of its network: `network.key` (secret, readable by its owner only)
 * and `genesis.json` (public; its SHA-256 is the network's id).
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { AiloError } from '../../shared/errors/index.ts';
import {
  decodeGenesis,
  defaultGenesis,
  encodeGenesis,
  type Genesis,
  networkIdOf,
} from '../../shared/ledger/genesis.ts';
import { SigningKey } from '../../shared/wallet/wallet.ts';
import { writeDurably } from '../write-durably.ts';

export interface NetworkFiles {
  networkKey: SigningKey;
  genesis: Genesis;
  /** SHA-256 of genesis.json, hex. */
  networkId: string;
}

export interface NewNetwork {
  name: string;
  now(): number;
  /** Parameters that differ from the defaults, for a test network. */
  adjust?: (genesis: Genesis) => Genesis;
}

/**
 * Reads the network's files from `folder`, or founds a network there. Throws NETWORK_FILES_UNUSABLE, also for a genesis
 * file without its key: another key could never continue that network.
 */
export async function openNetworkFiles(folder: string, founding: NewNetwork): Promise<NetworkFiles> {
  await mkdir(folder, { recursive: true });
  const keyPath = join(folder, 'network.key');
  const genesisPath = join(folder, 'genesis.json');
  const genesisBytes = await readIfThere(genesisPath);
  const networkKey = (await readKey(keyPath)) ?? (genesisBytes ? undefined : await createKey(keyPath));
  if (!networkKey) throw unusable(keyPath, 'it is missing, and the network cannot go on without it');
  // A crash between the two files leaves a key without a network: the next start founds one with it.
  const bytes = genesisBytes ?? (await createGenesis(genesisPath, networkKey, founding));
  const genesis = decodeGenesis(bytes);
  if (genesis.publicKey !== bytesToHex(networkKey.publicKey)) {
    throw unusable(keyPath, 'it is not the key that genesis.json names');
  }
  return { networkKey, genesis, networkId: bytesToHex(networkIdOf(bytes)) };
}

async function readKey(path: string): Promise<SigningKey | undefined> {
  const bytes = await readIfThere(path);
  if (!bytes) return undefined;
  const { mode } = await stat(path);
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw unusable(path, 'others can read it; allow it to its owner only (chmod 600)');
  }
  const text = new TextDecoder().decode(bytes).trim();
  if (!/^[0-9a-f]{64}$/.test(text)) throw unusable(path, 'it does not hold a key');
  return new SigningKey(hexToBytes(text));
}

async function createKey(path: string): Promise<SigningKey> {
  const secret = randomBytes(32);
  await writeDurably(path, `${secret.toString('hex')}\n`, 0o600);
  return new SigningKey(secret);
}

async function createGenesis(path: string, key: SigningKey, founding: NewNetwork): Promise<Uint8Array> {
  const genesis = defaultGenesis(key.publicKey, founding.name, founding.now());
  const bytes = encodeGenesis(founding.adjust?.(genesis) ?? genesis);
  await writeDurably(path, bytes, 0o644);
  return bytes;
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unusable(path, error instanceof Error ? error.message : 'it cannot be read');
  }
}

function unusable(path: string, reason: string): AiloError {
  return AiloError.of('NETWORK_FILES_UNUSABLE', { path, reason });
}
