/**
 * The offscreen document: hosts the node (socket, wallet, stages, jobs) and the conversation, and shows both to whatever
 * page connects. It outlives the service worker and every popup.
 */
import { randomBytes } from '@noble/hashes/utils.js';
import browser from 'webextension-polyfill';
import { AiloError, toAiloError } from '../../shared/errors/index.ts';
import { systemSchedule } from '../../shared/protocol/schedule.ts';
import { newWords } from '../../shared/wallet/words.ts';
import { openReplica } from '../ledger/client.ts';
import { type Answers, type Command, type Notice, type PageRequest, PORT, type Update } from '../messages.ts';
import type { AppState, Settings } from '../state.ts';
import { badgeOf } from './badge.ts';
import { fetchCampaign } from './campaign.ts';
import { changed } from './change.ts';
import { type ChunkCache, indexedDbChunks } from './chunk-store.ts';
import { type Conversation, createConversation } from './conversation.ts';
import { type Database, getValue, openDatabase, putValue, removeValue } from './database.ts';
import { LedgerHost } from './ledger-host.ts';
import { noNode } from './no-node.ts';
import { NodeHost } from './node-host.ts';
import { indexedDbTexts, type OwnTexts } from './own-texts.ts';
import { createPages, type Pages } from './pages.ts';
import { settingsOf } from './settings.ts';
import { keepStorage, storageBudget } from './storage-budget.ts';
import { walletAnswers } from './wallet-answers.ts';
import { WalletKeeper } from './wallet-keeper.ts';
import { databaseCopy, extensionCopy } from './wallet-stores.ts';

/** What the database kept of it. */
type Kept = Pick<AppState, 'settings' | 'conversation' | 'answersHelped' | 'ownTexts'>;

class App {
  readonly #database: Database;
  readonly #keeper: WalletKeeper;
  readonly #conversation: Conversation;
  readonly #host: NodeHost;
  readonly #ledger: LedgerHost;
  readonly #chunks: ChunkCache;
  readonly #texts: OwnTexts;
  readonly pages: Pages;
  #settings: Settings;
  #answersHelped: number;
  #ownTexts: number;
  #address: string | undefined;
  #badge = '';

  constructor(database: Database, keeper: WalletKeeper, { settings, conversation, answersHelped, ownTexts }: Kept) {
    this.#database = database;
    this.#keeper = keeper;
    this.#address = keeper.view.address;
    this.#settings = settings;
    this.#answersHelped = answersHelped;
    this.#ownTexts = ownTexts;
    this.#texts = indexedDbTexts(database, Date.now);
    this.pages = createPages({
      state: () => this.#state(),
      obey: (command) => this.#obey(command),
      answer: (request) => this.#answer(request),
    });
    this.#chunks = indexedDbChunks(database, { budgetBytes: storageBudget, now: Date.now });
    this.#host = new NodeHost({
      chunks: this.#chunks,
      wallet: () => keeper.wallet,
      settings: () => this.#settings,
      texts: this.#texts,
      hasTexts: () => this.#ownTexts > 0,
      onCheckpoint: (seal) => this.#ledger.heard(seal),
      onChange: () => this.#show(),
      onAnswers: (finished) => this.#countAnswers(finished),
    });
    this.#ledger = new LedgerHost({
      wallet: () => keeper.wallet,
      settings: () => this.#settings,
      openReplica,
      onChange: () => this.#show(),
    });
    this.#conversation = createConversation({
      chat: (request, signal) => this.#host.chat(request, signal),
      turns: conversation,
      save: (saved) => putValue(database, 'conversation', saved),
      onChange: () => this.pages.show('conversation'),
      onAnswer: () => this.pages.show('answer'),
      now: () => performance.now(),
      seed: () => crypto.getRandomValues(new Uint32Array(1))[0]!,
    });
    this.#follow();
    this.#show();
  }

  /** Wallet or settings may be other ones. */
  #follow(): void {
    this.#host.follow();
    this.#ledger.follow();
  }

  /** The keeper has news. */
  onWallet(): void {
    const { address } = this.#keeper.view;
    // The name belongs to the wallet that claimed it.
    if (address !== this.#address) this.#store(changed(this.#settings, { username: '' }));
    this.#address = address;
    this.#show();
    this.#follow();
  }

  #obey(command: Command): void {
    switch (command.type) {
      case 'ask':
        forget(this.#conversation.ask(command.model, command.text, this.#settings));
        break;
      case 'stop':
        this.#conversation.stop();
        break;
      case 'clear':
        forget(this.#conversation.clear());
        break;
      case 'change':
        this.#change(command.settings);
    }
  }

  readonly #answers: Answers = {
    words: ({ password }) => this.#keeper.words(password),
    unlock: ({ password }) => this.#keeper.unlock(password),
    lock: () => this.#keeper.lock(),
    setPassword: ({ old, password }) => this.#keeper.setPassword(old, password),
    confirmBackup: () => this.#keeper.confirmBackup(),
    restore: ({ words }) => this.#keeper.restore(words),
    storage: async () => ({ models: await this.#chunks.usage(), budgetBytes: await storageBudget() }),
    clearStorage: ({ model }) => this.#chunks.remove(model),
    campaign: ({ id }) => fetchCampaign((...request) => fetch(...request), this.#settings.coordinatorUrl, id),
    ownTexts: () => this.#texts.list(),
    addOwnText: ({ name, text }) => this.#changeTexts(() => this.#texts.add(name, text)),
    removeOwnText: async ({ id }) => {
      await this.#changeTexts(() => this.#texts.remove(id));
      if (this.#settings.training === 'local') this.#host.forgetLearned();
    },
    ...walletAnswers({ service: () => this.#ledger.service, checkSpending: () => this.#checkSpending() }),
  };

  async #changeTexts(work: () => Promise<void>): Promise<void> {
    await work();
    this.#ownTexts = await this.#texts.count();
    this.#show();
    this.#host.follow();
  }

  /** Throws PASSWORD_NEEDED while spending is locked. */
  #checkSpending(): void {
    if (!this.#keeper.spendable) throw AiloError.of('PASSWORD_NEEDED', {});
    this.#keeper.touch();
  }

  #answer<R extends PageRequest>(request: R): Promise<unknown> {
    const answer = this.#answers[request.type] as (request: R) => Promise<unknown>;
    return answer(request);
  }

  #change(change: Partial<Settings>): void {
    const before = this.#settings;
    const after = changed(before, change);
    this.#store(after);
    if (after.autoLockMinutes !== before.autoLockMinutes) this.#keeper.setAutoLock(after.autoLockMinutes);
    this.#show();
    this.#follow();
  }

  #store(settings: Settings): void {
    this.#settings = settings;
    forget(putValue(this.#database, 'settings', settings));
  }

  #countAnswers(finished: number): void {
    this.#answersHelped += finished;
    forget(putValue(this.#database, 'answersHelped', this.#answersHelped));
  }

  #state(): AppState {
    const wallet = this.#keeper.view;
    return {
      settings: this.#settings,
      wallet,
      node: this.#host.state ?? noNode(wallet),
      ...this.#ledger.view,
      ownTexts: this.#ownTexts,
      answersHelped: this.#answersHelped,
      conversation: this.#conversation.turns,
    };
  }

  /** Pages and badge. The service worker may be asleep: it is only woken for news. */
  #show(): void {
    this.pages.show('node');
    const notice = badgeOf(this.#state().node, this.#settings.contributing);
    const key = JSON.stringify(notice);
    if (key === this.#badge) return;
    this.#badge = key;
    notify({ type: 'badge', ...notice }).catch(() => {
      // Nobody listens while the browser closes.
    });
  }
}

function notify(notice: Notice): Promise<unknown> {
  return browser.runtime.sendMessage(notice);
}

/** Nobody waits for it. What cannot be stored (a full disk, say) is lost with the browser, but works until then. */
function forget(work: Promise<void>): void {
  work.catch((error) => console.warn('something could not be stored', error));
}

async function start(): Promise<App> {
  keepStorage();
  const database = openDatabase();
  const [stored, conversation = [], answersHelped = 0] = await Promise.all([
    getValue(database, 'settings'),
    getValue(database, 'conversation'),
    getValue(database, 'answersHelped'),
  ]);
  const settings = settingsOf(stored);
  let app: App | undefined;
  const keeper = await openKeeper(database, settings.autoLockMinutes, () => app?.onWallet());
  const ownTexts = await database.texts.count();
  app = new App(database, keeper, { settings, conversation, answersHelped, ownTexts });
  return app;
}

function openKeeper(database: Database, autoLockMinutes: number, onChange: () => void): Promise<WalletKeeper> {
  return WalletKeeper.open({
    stores: [databaseCopy(database), extensionCopy(notify)],
    plain: { read: () => getValue(database, 'wallet'), remove: () => removeValue(database, 'wallet') },
    tries: { read: () => getValue(database, 'tries'), write: (tries) => putValue(database, 'tries', tries) },
    newWords,
    random: randomBytes,
    now: Date.now,
    autoLockMinutes,
    schedule: systemSchedule,
    onChange,
  });
}

const app = start();
// Registered at once: a page may connect while the database is still opening.
browser.runtime.onConnect.addListener((port) => {
  if (port.name !== PORT) return;
  app.then(
    (ready) => ready.pages.connect(port),
    (thrown) => port.postMessage({ type: 'broken', error: toAiloError(thrown).toWire() } satisfies Update),
  );
});
