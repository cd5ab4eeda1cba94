/** The replica in Node.js: in this process, in a data folder. */
import { join } from 'node:path';
import { systemSchedule } from '../../shared/protocol/schedule.ts';
import { createReplica, type ReplicaOptions } from '../../shared/replica/replica.ts';
import type { Replica } from '../../shared/replica/types.ts';
import { folderStores } from './replica-store.ts';

export interface FolderReplicaOptions extends Pick<ReplicaOptions, 'url' | 'network' | 'publicKey' | 'log'> {
  /** Keeps the ledger in its folder `ledger`. */
  dataDir: string;
}

/** Throws what `createReplica` throws, and DATABASE_UNUSABLE. */
export function openReplica({ dataDir, ...options }: FolderReplicaOptions): Promise<Replica> {
  return createReplica({
    ...options,
    fetch,
    stores: folderStores(join(dataDir, 'ledger')),
    now: Date.now,
    schedule: systemSchedule,
    random: Math.random,
  });
}
