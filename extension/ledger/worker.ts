/** The dedicated worker of the replica: a long replay keeps its thread busy for a minute or two. */
import { systemSchedule } from '../../shared/protocol/schedule.ts';
import { createReplica } from '../../shared/replica/replica.ts';
import type { Port } from '../compute/rpc.ts';
import { dexieStores } from './dexie-stores.ts';
import { serveReplica } from './serve.ts';

serveReplica(self as unknown as Port, (options) =>
  createReplica({
    ...options,
    fetch: (input, init) => fetch(input, init),
    stores: dexieStores(),
    now: Date.now,
    schedule: systemSchedule,
    random: Math.random,
    log: {
      debug: () => {},
      info: (fields, message) => console.info(message, fields),
      warn: (fields, message) => console.warn(message, fields),
    },
  }),
);
