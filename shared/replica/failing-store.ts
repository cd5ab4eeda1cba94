/** For tests: a store whose writes fail, before or after they happened. */
import type { ReplicaStore, ReplicaStores } from './store.ts';

export type Failure = 'lost' | 'kept';

/**
 * The `nth` save (from 0) of all stores that are opened through these fails: `lost`, nothing was written; `kept`, all
 * was, and only the answer is an error.
 */
export function failingStores(stores: ReplicaStores, nth: number, failure: Failure): ReplicaStores & { saves: number } {
  const failing = {
    saves: 0,
    pinned: (url: string) => stores.pinned(url),
    pin: (url: string, genesis: Uint8Array) => stores.pin(url, genesis),
    async open(networkId: string): Promise<ReplicaStore> {
      const store = await stores.open(networkId);
      return {
        read: (...range) => store.read(...range),
        close: () => store.close(),
        async save(...change) {
          const fails = failing.saves++ === nth;
          if (fails && failure === 'lost') throw new Error('the disk is full');
          await store.save(...change);
          if (fails) throw new Error('the disk did not answer');
        },
      };
    },
  };
  return failing;
}
