/**
 * Keeps the wallet: opens, locks, seals and replaces it. Without a password it is always open. With one it is locked when
 * the browser starts; once opened, the node has the key until `lock`, but spending asks for the password again when the
 * wallet was not used for a while.
 */
import { AiloError, toAiloError } from '../../shared/errors/index.ts';
import type { Schedule } from '../../shared/protocol/schedule.ts';
import { Mutex } from '../../shared/runtime/mutex.ts';
import { openVault } from '../../shared/wallet/vault.ts';
import { createWallet, type Wallet } from '../../shared/wallet/wallet.ts';
import { normaliseWords } from '../../shared/wallet/words.ts';
import type { WalletView } from '../state.ts';
import { AutoLock } from './auto-lock.ts';
import { saveCopies } from './wallet-copies.ts';
import { type LoadOptions, loadWallet } from './wallet-load.ts';
import { sealWords, type WalletRecord } from './wallet-record.ts';
import { type TriesStore, TryCounter } from './wallet-tries.ts';

export interface KeeperOptions extends LoadOptions {
  tries: TriesStore;
  /** Minutes without use after which spending is locked; 0: never. */
  autoLockMinutes: number;
  schedule: Schedule;
  /** `wallet`, `spendable` or `view` changed. */
  onChange(): void;
}

export class WalletKeeper {
  readonly #options: KeeperOptions;
  readonly #tries: TryCounter;
  readonly #autoLock: AutoLock;
  /** Passwords and changes are dealt with one after the other. */
  readonly #mutex = new Mutex();
  /** The error: there is none that could be read or made. */
  #record: WalletRecord | AiloError;
  #wallet: Wallet | undefined;

  private constructor(options: KeeperOptions, tries: TryCounter, record: WalletRecord | AiloError) {
    this.#options = options;
    this.#tries = tries;
    this.#record = record;
    this.#autoLock = new AutoLock({ ...options, minutes: options.autoLockMinutes, onLock: options.onChange });
  }

  /** Never rejects because of the wallet: a keeper without one says why, and takes words to restore it. */
  static async open(options: KeeperOptions): Promise<WalletKeeper> {
    const tries = await TryCounter.open(options.tries, options.now);
    const record = await loadWallet(options).catch(toAiloError);
    if (record instanceof AiloError) console.warn(record.message, record.cause);
    const keeper = new WalletKeeper(options, tries, record);
    if ('openKey' in record) keeper.#wallet = createWallet(await openVault(record.vault, record.openKey));
    return keeper;
  }

  /** Undefined while it is locked, or cannot be read. */
  get wallet(): Wallet | undefined {
    return this.#wallet;
  }

  /** Whether `wallet` may sign away money now, without asking for the password. */
  get spendable(): boolean {
    return this.#wallet !== undefined && !(this.#hasPassword && this.#autoLock.isLocked);
  }

  get view(): WalletView {
    const locked = !this.#wallet ? 'all' : this.spendable ? 'no' : 'spending';
    if (this.#record instanceof AiloError) {
      return { locked, hasPassword: false, backedUp: false, error: this.#record.toWire() };
    }
    const { address, backedUp } = this.#record;
    return { locked, hasPassword: this.#hasPassword, backedUp, address };
  }

  /** Makes it spendable. Throws PASSWORD_WRONG, PASSWORD_WAIT, or why there is no wallet. */
  unlock(password: string): Promise<void> {
    return this.#mutex.run(async () => this.#enter(await this.#openWords(password)));
  }

  /** Forgets the key. Throws PASSWORD_NOT_SET when nothing could bring it back. */
  lock(): Promise<void> {
    return this.#mutex.run(async () => {
      if (!this.#hasPassword) throw AiloError.of('PASSWORD_NOT_SET', {});
      this.#wallet = undefined;
      this.#options.onChange();
    });
  }

  /** The recovery words. Throws like `unlock`, and PASSWORD_NEEDED. */
  words(password?: string): Promise<string> {
    return this.#mutex.run(async () => {
      const words = await this.#openWords(password);
      this.touch();
      return words;
    });
  }

  /** The first password, or another in place of `old`. Throws like `words`, PASSWORD_TOO_SHORT, and like `restore`. */
  setPassword(old: string | undefined, password: string): Promise<void> {
    return this.#mutex.run(async () => {
      const words = await this.#openWords(old);
      const { openKey: _, ...record } = this.#known();
      await this.#replace({ ...record, ...(await sealWords(words, password, this.#options.random)) }, words);
    });
  }

  /**
   * Replaces the wallet by the one of these words, without a password and counted as backed up. Throws WORDS_INVALID;
   * WALLET_NOT_STORED, then nothing changed; WALLET_STORED_ONCE, then it is done.
   */
  restore(text: string): Promise<void> {
    return this.#mutex.run(async () => {
      const words = normaliseWords(text);
      const { address } = createWallet(words);
      const sealed = await sealWords(words, undefined, this.#options.random);
      await this.#replace({ version: 1, savedMs: 0, address, backedUp: true, ...sealed }, words);
    });
  }

  /** The person proved to have written the words down. Throws WALLET_NOT_STORED, WALLET_STORED_ONCE. */
  confirmBackup(): Promise<void> {
    return this.#mutex.run(() => this.#replace({ ...this.#known(), backedUp: true }));
  }

  /** The wallet was used: the time until spending is locked begins anew, unless that is over. */
  touch(): void {
    this.#autoLock.touch();
  }

  /** @param minutes 0: never */
  setAutoLock(minutes: number): void {
    this.#autoLock.setMinutes(minutes);
  }

  get #hasPassword(): boolean {
    return !(this.#record instanceof AiloError) && this.#record.openKey === undefined;
  }

  #known(): WalletRecord {
    if (this.#record instanceof AiloError) throw this.#record;
    return this.#record;
  }

  async #openWords(password: string | undefined): Promise<string> {
    const { vault, openKey } = this.#known();
    if (openKey !== undefined) return openVault(vault, openKey);
    if (password === undefined) throw AiloError.of('PASSWORD_NEEDED', {});
    return this.#tries.guard(() => openVault(vault, password));
  }

  /** Stores the record as the newest; with `words`, their wallet is open from then on. */
  async #replace(record: WalletRecord, words?: string): Promise<void> {
    const before = this.#record instanceof AiloError ? 0 : this.#record.savedMs;
    const newest = { ...record, savedMs: Math.max(this.#options.now(), before + 1) };
    const incomplete = await saveCopies(this.#options.stores, newest);
    this.#record = newest;
    if (words === undefined) this.#options.onChange();
    else {
      this.#enter(words);
      await this.#tries.reset();
    }
    if (incomplete) throw incomplete;
  }

  #enter(words: string): void {
    const wallet = createWallet(words);
    // The node goes on with the key it has when it is the same.
    if (wallet.address !== this.#wallet?.address) this.#wallet = wallet;
    this.#autoLock.unlock();
    this.#options.onChange();
  }
}
