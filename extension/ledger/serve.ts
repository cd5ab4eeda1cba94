/** The worker's side: a replica whose methods are called over a port, and whose changes are told to the page. */
import { AiloError } from '../../shared/errors/index.ts';
import type { Seal } from '../../shared/ledger/checkpoint.ts';
import type { Network } from '../../shared/ledger/network.ts';
import type { Account, Totals } from '../../shared/ledger/records.ts';
import type { HistoryPage, KnownTransaction, Replica, ReplicaState } from '../../shared/replica/types.ts';
import { connect, type Handlers, type Port, type Reply } from '../compute/rpc.ts';

/** What a page asks for. */
export interface OpenOptions {
  /** Of the coordinator. */
  url: string;
  /** Hex of the network's id, where it is known. */
  network?: string;
  /** Whose history is kept. */
  publicKey: Uint8Array;
}

type Cosignable = Awaited<ReturnType<Replica['cosignable']>>;

export interface ReplicaCalls extends Handlers {
  open(options: OpenOptions): Promise<Reply<{ network: Network; state: ReplicaState }>>;
  follow(seal: Seal): Promise<Reply<void>>;
  sync(nothing: undefined): Promise<Reply<void>>;
  totals(nothing: undefined): Promise<Reply<Totals>>;
  account(publicKey: Uint8Array): Promise<Reply<Account | undefined>>;
  ownerOf(username: string): Promise<Reply<Account | undefined>>;
  history(page: { before?: number; limit: number }): Promise<Reply<HistoryPage>>;
  transaction(hash: Uint8Array): Promise<Reply<KnownTransaction | undefined>>;
  cosignable(wallet: { publicKey: Uint8Array; nowMs: number }): Promise<Reply<Cosignable>>;
  close(nothing: undefined): Promise<Reply<void>>;
}

export interface PageCalls extends Handlers {
  changed(state: ReplicaState): Promise<Reply<void>>;
}

/** Serves one replica, which `create` makes when the page opens it. */
export function serveReplica(port: Port, create: (options: OpenOptions) => Promise<Replica>): void {
  let replica: Replica | undefined;
  const opened = (): Replica => {
    if (!replica) throw AiloError.of('LEDGER_CLOSED', {});
    return replica;
  };
  const handlers: ReplicaCalls = {
    async open(options) {
      replica = await create(options);
      // Nobody waits for it: a page that is gone needs no news.
      replica.subscribe((state) => void page.call('changed', state).catch(() => undefined));
      return { value: { network: replica.network, state: replica.state } };
    },
    async follow(seal) {
      opened().follow(seal);
      return { value: undefined };
    },
    sync: async () => ({ value: await opened().sync() }),
    totals: async () => ({ value: await opened().totals() }),
    account: async (publicKey) => ({ value: await opened().account(publicKey) }),
    ownerOf: async (username) => ({ value: await opened().ownerOf(username) }),
    history: async (page) => ({ value: await opened().history(page) }),
    transaction: async (hash) => ({ value: await opened().transaction(hash) }),
    cosignable: async ({ publicKey, nowMs }) => ({ value: await opened().cosignable(publicKey, nowMs) }),
    async close() {
      await opened().close();
      replica = undefined;
      return { value: undefined };
    },
  };
  const page = connect<PageCalls>(port, handlers);
}
