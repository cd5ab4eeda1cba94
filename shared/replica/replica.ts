/** Making a replica: which network it is of, and where it is kept. */
import { bytesToHex } from '@noble/hashes/utils.js';
import type { Log } from '../node/log.ts';
import type { Schedule } from '../protocol/schedule.ts';
import { createVerifier, type Verifier } from '../wallet/verifier.ts';
import { Follower } from './follower.ts';
import { SAVE_ENTRIES, SHORT_GAP_ENTRIES, SIGNATURES_IN_FLIGHT } from './limits.ts';
import { pinnedNetwork } from './pinned-network.ts';
import type { Pace } from './replay.ts';
import { httpLedgerSource } from './source.ts';
import type { ReplicaStores } from './store.ts';
import type { Replica } from './types.ts';

export interface ReplicaOptions {
  /** Of the coordinator. */
  url: string;
  fetch: typeof fetch;
  stores: ReplicaStores;
  /** Hex of the network's id, where it is known from elsewhere; else the coordinator's first answer settles it. */
  network?: string;
  /** Whose history is kept. */
  publicKey: Uint8Array;
  /** Unix time in ms. */
  now(): number;
  schedule: Schedule;
  /** In [0, 1). */
  random(): number;
  log: Log;
  /** The platform's, if none is given. */
  verifier?: Verifier;
  /** For tests. */
  pace?: Pace;
}

/**
 * Opens the replica, which then reads what is stored and waits for `follow` and `sync`. Throws LEDGER_OTHER_NETWORK where
 * the coordinator is known for another network; at its first use LEDGER_UNREACHABLE and GENESIS_INVALID, too; the
 * store's error.
 */
export async function createReplica(options: ReplicaOptions): Promise<Replica> {
  const { url, stores, network: expected, verifier, pace, ...rest } = options;
  const source = httpLedgerSource(options);
  const network = await pinnedNetwork(url, expected, stores, source);
  return new Follower({
    ...rest,
    network,
    source,
    store: await stores.open(bytesToHex(network.id)),
    pace: pace ?? { shortGap: SHORT_GAP_ENTRIES, save: SAVE_ENTRIES },
    verifier: verifier ?? createVerifier({ inFlight: SIGNATURES_IN_FLIGHT }),
  });
}
