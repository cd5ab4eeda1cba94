/** The replica in Node.js: in this process, in a data folder. */
import { join } from 'node:path';
import { bytesToHex } from '@noble/hashes/utils.js';
import { systemSchedule } from '../../shared/protocol/schedule.ts';
import { createReplica, type ReplicaOptions } from '../../shared/replica/replica.ts';
import type { Replica } from '../../shared/replica/types.ts';
import { folderStores } from './replica-store.ts';

export interface FolderReplicaOptions extends Pick<ReplicaOptions, 'url' | 'network' | 'publicKey' | 'log'> {
  /** Keeps the ledger in its folder `ledger`, for each wallet on its own: nodes of one machine may share it. */
  dataDir: string;
}

/** Digits of a wallet's public key in its folder's name. */
const NAME_DIGITS = 16;

/** Throws what `createReplica` throws, and DATABASE_UNUSABLE. */
export function openReplica({ dataDir, ...options }: FolderReplicaOptions): Promise<Replica> {
  const wallet = bytesToHex(options.publicKey).slice(0, NAME_DIGITS);
  return createReplica({
    ...options,
    fetch,
    stores: folderStores(join(dataDir, 'ledger', wallet)),
    now: Date.now,
    schedule: systemSchedule,
    random: Math.random,
  });
}
