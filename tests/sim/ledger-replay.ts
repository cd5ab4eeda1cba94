/** Downloads the whole log and replays it as somebody does who believes nobody. */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import * as v from 'valibot';
import { Batch, checkpointAt } from '../../shared/ledger/batch.ts';
import { openSeal } from '../../shared/ledger/checkpoint.ts';
import { signatureIn } from '../../shared/ledger/entry.ts';
import { encodeGenesis, type GenesisSchema } from '../../shared/ledger/genesis.ts';
import { TILE_ENTRIES } from '../../shared/ledger/limits.ts';
import { LogTree } from '../../shared/ledger/log-tree.ts';
import { type Network, networkOf } from '../../shared/ledger/network.ts';
import { LedgerState } from '../../shared/ledger/state.ts';
import { decodeTile, tileSpans } from '../../shared/ledger/tile.ts';
import { CheckpointResponse, NetworkResponse, paths } from '../../shared/protocol/http.ts';
import { createVerifier } from '../../shared/wallet/verifier.ts';

export interface Replayed {
  state: LedgerState;
  /** Places of all transfers, by hex of their hash; more than one would be one too many. */
  transfers: Map<string, number[]>;
}

export async function networkAt(url: string): Promise<Network> {
  const { genesis, networkId } = v.parse(NetworkResponse, await json(url + paths.network));
  const network = networkOf(genesis as v.InferOutput<typeof GenesisSchema>);
  encodeGenesis(network.genesis);
  if (bytesToHex(network.id) !== networkId) throw new Error('the genesis file is another network’s');
  return network;
}

/** Throws unless every signature is good, every rule is kept, and all of it leads to the signed checkpoint. */
export async function replayLog(url: string, network: Network): Promise<Replayed> {
  const { bytes, signature } = v.parse(CheckpointResponse, await json(url + paths.checkpoint));
  const sealed = openSeal({ bytes: hexToBytes(bytes), signature: hexToBytes(signature) }, network);
  const verifier = createVerifier();
  const tip = { state: LedgerState.empty(network.genesis), log: new LogTree() };
  const transfers = new Map<string, number[]>();
  for (const { index, width } of tileSpans(0, sealed.size, sealed.size)) {
    const path = width === TILE_ENTRIES ? paths.tile(index) : paths.partialTile(index, width);
    const tile = new Uint8Array(await (await fetch(url + path)).arrayBuffer());
    const batch = new Batch(network, tip);
    for (const entry of decodeTile(tile, width)) batch.add(entry);
    const signatures = batch.entries.flatMap(({ entry }) => signatureIn(entry) ?? []);
    if ((await verifier.verifyAll(signatures)).includes(false)) throw new Error(`a signature in tile ${index} is bad`);
    for (const { position, entry } of batch.entries) {
      if (entry.kind !== 'transaction' || entry.signed.transaction.type !== 'transfer') continue;
      const hash = bytesToHex(entry.signed.hash);
      transfers.set(hash, [...(transfers.get(hash) ?? []), position]);
    }
  }
  const reached = checkpointAt(network, tip);
  if (JSON.stringify(plain(reached)) !== JSON.stringify(plain(sealed))) {
    throw new Error('the entries do not lead to the signed checkpoint');
  }
  return { state: tip.state, transfers };
}

function plain({ size, root, stateHash, timeMs }: ReturnType<typeof checkpointAt>) {
  return { size, root: bytesToHex(root), stateHash: bytesToHex(stateHash), timeMs };
}

async function json(url: string): Promise<unknown> {
  return (await fetch(url)).json();
}
