/** A network as its rules are applied. */
import { hexToBytes } from '@noble/hashes/utils.js';
import { encodeGenesis, type Genesis, networkIdOf } from './genesis.ts';

export interface Network {
  genesis: Genesis;
  /** SHA-256 of the genesis bytes. */
  id: Uint8Array;
  /** Of the network's key. */
  publicKey: Uint8Array;
}

/** Throws GENESIS_INVALID. */
export function networkOf(genesis: Genesis): Network {
  return { genesis, id: networkIdOf(encodeGenesis(genesis)), publicKey: hexToBytes(genesis.publicKey) };
}
