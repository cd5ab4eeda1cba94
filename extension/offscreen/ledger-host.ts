/** Follows the ledger for the open wallet: one client while there is one, none else, and never two. */
import type { Seal } from '../../shared/ledger/checkpoint.ts';
import { systemSchedule } from '../../shared/protocol/schedule.ts';
import { createLedgerClient, type LedgerClient } from '../../shared/replica/ledger-client.ts';
import type { Replica } from '../../shared/replica/types.ts';
import type { WalletService } from '../../shared/replica/wallet-types.ts';
import { Mutex } from '../../shared/runtime/mutex.ts';
import type { Wallet } from '../../shared/wallet/wallet.ts';
import type { AppState, Settings } from '../state.ts';
import { ledgerViewOf } from './ledger-view.ts';
import { log } from './log.ts';

export interface LedgerHostOptions {
  wallet(): Wallet | undefined;
  settings(): Settings;
  openReplica(of: { url: string; publicKey: Uint8Array }): Promise<Replica>;
  /** Its view changed. */
  onChange(): void;
}

/** Settled when a client is made. */
const OF_ONE_CLIENT = ['coordinatorUrl', 'username'] as const;
type MadeWith = { wallet: Wallet | undefined; settings: Settings };

export class LedgerHost {
  readonly #options: LedgerHostOptions;
  readonly #mutex = new Mutex();
  #client: LedgerClient | undefined;
  /** What `#client` was made with; undefined before the first. */
  #madeWith: MadeWith | undefined;

  constructor(options: LedgerHostOptions) {
    this.#options = options;
  }

  /** Nothing of another wallet than the present one. */
  get view(): Pick<AppState, 'ledger' | 'account' | 'usernameError'> {
    const { replica, state } = this.#present ?? {};
    return {
      ...(replica && { ledger: ledgerViewOf(replica.state, replica.network.genesis) }),
      ...(state?.account && { account: state.account }),
      ...(state?.usernameError && { usernameError: state.usernameError }),
    };
  }

  get service(): WalletService | undefined {
    return this.#present?.service;
  }

  /** A checkpoint was heard of. */
  heard(seal: Seal): void {
    this.#client?.follow(seal);
  }

  /** Wallet or settings may be other ones: soon the client is as they say. */
  follow(): void {
    void this.#mutex.run(async () => {
      const now = { wallet: this.#options.wallet(), settings: this.#options.settings() };
      if (this.#madeWith && isSameClient(this.#madeWith, now)) return;
      await this.#client?.close().catch((error) => console.warn('the ledger did not close cleanly', error));
      this.#madeWith = now;
      this.#client = now.wallet && this.#create(now.wallet, now.settings);
      this.#options.onChange();
    });
  }

  get #present(): LedgerClient | undefined {
    return this.#madeWith?.wallet === this.#options.wallet() ? this.#client : undefined;
  }

  #create(wallet: Wallet, { coordinatorUrl: url, username }: Settings): LedgerClient {
    const { openReplica, onChange } = this.#options;
    const client = createLedgerClient({
      openReplica: () => openReplica({ url, publicKey: wallet.publicKey }),
      wallet,
      url,
      fetch: (input, init) => fetch(input, init),
      ...(username !== undefined && { username }),
      schedule: systemSchedule,
      now: () => Date.now(),
      random: Math.random,
      log,
    });
    client.subscribe(onChange);
    return client;
  }
}

function isSameClient(before: MadeWith, after: MadeWith): boolean {
  return (
    before.wallet === after.wallet && OF_ONE_CLIENT.every((name) => before.settings[name] === after.settings[name])
  );
}
