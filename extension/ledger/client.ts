/** The page's side of the ledger worker: a `Replica` that replays elsewhere, so that it never holds the page up. */
import { throwIfCancelled } from '../../shared/errors/cancelled.ts';
import { AiloError } from '../../shared/errors/index.ts';
import type { Replica, ReplicaState } from '../../shared/replica/types.ts';
import { connect, type Port } from '../compute/rpc.ts';
import type { OpenOptions, PageCalls, ReplicaCalls } from './serve.ts';

/** Where `bundleLedger` puts the worker, seen from the page. */
const WORKER_URL = 'ledger-worker.js';

/** Starts the worker and opens the replica in it. Throws what `createReplica` throws. */
export async function openReplica(options: OpenOptions): Promise<Replica> {
  const worker = new Worker(WORKER_URL, { type: 'module', name: 'ailo ledger' });
  const { replica, fail } = replicaOverPort(worker, options, () => worker.terminate());
  worker.addEventListener('error', (event) => fail(AiloError.of('INTERNAL', {}, event.message)));
  try {
    return await replica;
  } catch (error) {
    worker.terminate();
    throw error;
  }
}

/** A replica behind any port; `terminate` ends the other side. */
export function replicaOverPort(
  port: Port,
  options: OpenOptions,
  terminate: () => void,
): { replica: Promise<Replica>; fail: (error: AiloError) => void } {
  const listeners = new Set<(state: ReplicaState) => void>();
  let state: ReplicaState = { status: 'starting', size: 0, target: 0 };
  const { call, fail } = connect<ReplicaCalls>(port, {
    async changed(news) {
      state = news;
      for (const listener of listeners) listener(news);
      return { value: undefined };
    },
  } satisfies PageCalls);
  const open = async (): Promise<Replica> => {
    const { network, ...opened } = await call('open', options);
    // News may have overtaken the answer.
    if (state.status === 'starting') state = opened.state;
    return {
      network,
      get state() {
        return state;
      },
      subscribe(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      follow: (seal) => void call('follow', seal).catch(() => undefined),
      sync: (signal) => unlessCancelled(call('sync', undefined), signal),
      totals: () => call('totals', undefined),
      account: (publicKey) => call('account', publicKey),
      ownerOf: (username) => call('ownerOf', username),
      history: (page) => call('history', page),
      transaction: (hash) => call('transaction', hash),
      cosignable: (publicKey, nowMs) => call('cosignable', { publicKey, nowMs }),
      async close() {
        await call('close', undefined);
        fail(AiloError.of('LEDGER_CLOSED', {}));
        terminate();
      },
    };
  };
  return { replica: open(), fail };
}

/** The work goes on for others; only this caller does not wait for it any more. */
function unlessCancelled<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const cancel = () => {
      try {
        throwIfCancelled(signal);
      } catch (error) {
        reject(error);
      }
    };
    cancel();
    signal.addEventListener('abort', cancel);
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', cancel));
  });
}
