/** The dedicated worker of the replica: a long replay keeps its thread busy for a minute or two. */
import { systemSchedule } from '../../shared/protocol/schedule.ts';
import { createReplica } from '../../shared/replica/replica.ts';
import type { Port } from '../compute/rpc.ts';
import { dexieStores } from './dexie-stores.ts';
import { serveReplica } from './serve.ts';
import { createVerifierPool, type PoolWorker } from './verifier-pool.ts';

/** Where `bundleLedger` puts it, beside this worker. */
const VERIFY_WORKER_URL = 'verify-worker.js';

function startVerifier(): PoolWorker {
  const worker = new Worker(new URL(VERIFY_WORKER_URL, self.location.href), {
    type: 'module',
    name: 'ailo signatures',
  });
  return {
    port: worker,
    terminate: () => worker.terminate(),
    onError: (listener) => worker.addEventListener('error', ({ message }) => listener(message)),
  };
}

serveReplica(self as unknown as Port, (options) =>
  createReplica({
    ...options,
    fetch: (input, init) => fetch(input, init),
    stores: dexieStores(),
    now: Date.now,
    schedule: systemSchedule,
    random: Math.random,
    verifier: createVerifierPool(startVerifier, navigator.hardwareConcurrency),
    log: {
      debug: () => {},
      info: (fields, message) => console.info(message, fields),
      warn: (fields, message) => console.warn(message, fields),
    },
  }),
);
