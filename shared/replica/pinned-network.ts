/** Which network a coordinator serves: asked once, and held to from then on. */
import { bytesToHex } from '@noble/hashes/utils.js';
import { AiloError } from '../errors/index.ts';
import { decodeGenesis, encodeGenesis } from '../ledger/genesis.ts';
import { type Network, networkOf } from '../ledger/network.ts';
import type { LedgerSource } from './source.ts';
import type { ReplicaStores } from './store.ts';

/**
 * The network of `url`, as it was pinned, or as the coordinator says at its first use.
 *
 * @param expected hex of the id that it must have; undefined: any
 *
 * Throws LEDGER_OTHER_NETWORK where it is not the one expected; what `source.network` throws; the store's error.
 */
export async function pinnedNetwork(
  url: string,
  expected: string | undefined,
  stores: ReplicaStores,
  source: LedgerSource,
): Promise<Network> {
  const pinned = await stores.pinned(url);
  const network = pinned ? networkOf(decodeGenesis(pinned)) : await source.network();
  if (expected !== undefined && bytesToHex(network.id) !== expected) throw AiloError.of('LEDGER_OTHER_NETWORK', {});
  if (!pinned) await stores.pin(url, encodeGenesis(network.genesis));
  return network;
}
