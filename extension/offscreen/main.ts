/**
 * The offscreen document: hosts the node (socket, wallet, stages, jobs) and the conversation, and shows both to whatever
 * page connects. It outlives the service worker and every popup.
 */
import browser from 'webextension-polyfill';
import { toAiloError } from '../../shared/errors/index.ts';
import { dialWebSocket } from '../../shared/node/dial.ts';
import { createNode } from '../../shared/node/node.ts';
import type { AiloNode, NodeState } from '../../shared/node/types.ts';
import { systemSchedule } from '../../shared/protocol/schedule.ts';
import type { WalletService } from '../../shared/replica/wallet-types.ts';
import { createWallet, type Wallet } from '../../shared/wallet/wallet.ts';
import { newWords } from '../../shared/wallet/words.ts';
import { type Answers, type Command, type Notice, type PageRequest, PORT, type Update } from '../messages.ts';
import type { AppState, Settings } from '../state.ts';
import { badgeOf } from './badge.ts';
import { changed } from './change.ts';
import { indexedDbChunks } from './chunk-store.ts';
import { type Conversation, createConversation } from './conversation.ts';
import { type Database, getValue, openDatabase, putValue } from './database.ts';
import { createBrowserRuntime } from './engine.ts';
import { answersFinished } from './helped.ts';
import { createPages, type Pages } from './pages.ts';
import { DEFAULT_SETTINGS } from './settings.ts';
import { walletAnswers } from './wallet-answers.ts';

/** Set by the build: `runtime.getManifest` is missing in offscreen documents. */
declare const AILO_VERSION: string;

class App {
  readonly #database: Database;
  readonly #wallet: Wallet;
  readonly #conversation: Conversation;
  readonly pages: Pages;
  #settings: Settings;
  #answersHelped: number;
  /** Absent while there is no ledger to work on. */
  #walletService: WalletService | undefined;
  #node: AiloNode;
  /** Stopping and starting nodes, in order, so that there is never a second one. Never rejects. */
  #work: Promise<void> = Promise.resolve();
  #badge = '';

  constructor(database: Database, wallet: Wallet, { settings, conversation, answersHelped }: Omit<AppState, 'node'>) {
    this.#database = database;
    this.#wallet = wallet;
    this.#settings = settings;
    this.#answersHelped = answersHelped;
    this.pages = createPages({
      state: () => this.#state(),
      obey: (command) => this.#obey(command),
      answer: (request) => this.#answer(request),
    });
    this.#node = this.#startNode();
    this.#conversation = createConversation({
      chat: (request, signal) => this.#node.chat(request, signal),
      turns: conversation,
      save: (saved) => putValue(database, 'conversation', saved),
      onChange: () => this.pages.show('conversation'),
      onAnswer: () => this.pages.show('answer'),
      now: () => performance.now(),
      seed: () => crypto.getRandomValues(new Uint32Array(1))[0]!,
    });
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
    words: async () => (await getValue(this.#database, 'wallet'))!,
    ...walletAnswers({ service: () => this.#walletService, checkSpending: () => {} }),
  };

  async #answer<R extends PageRequest>(request: R): Promise<unknown> {
    const answer = this.#answers[request.type] as (request: R) => Promise<unknown>;
    return answer(request);
  }

  #change(change: Partial<Settings>): void {
    const before = this.#settings;
    const after = changed(before, change);
    this.#settings = after;
    this.pages.show('node');
    forget(putValue(this.#database, 'settings', after));
    // These are settled when a node is made.
    const isOther = (['coordinatorUrl', 'username', 'engine', 'memoryMiB'] as const).some(
      (name) => after[name] !== before[name],
    );
    this.#work = this.#work.then(async () => {
      if (isOther) await this.#restartNode();
      else this.#node.contribute(this.#settings.contributing);
    });
  }

  async #restartNode(): Promise<void> {
    await this.#node.stop().catch((error) => console.warn('the node did not stop cleanly', error));
    this.#node = this.#startNode();
    this.pages.show('node');
  }

  #startNode(): AiloNode {
    const { coordinatorUrl, username, contributing, engine, memoryMiB } = this.#settings;
    const node = createNode({
      url: coordinatorUrl,
      wallet: this.#wallet,
      ...(username !== undefined && { username }),
      client: { kind: 'extension', version: AILO_VERSION },
      createRuntime: () => createBrowserRuntime({ engine, memoryMiB }),
      chunks: indexedDbChunks(this.#database),
      fetch: (input, init) => fetch(input, init),
      dial: dialWebSocket,
      schedule: systemSchedule,
      now: () => performance.now(),
      random: Math.random,
      log: {
        debug: () => {},
        info: (fields, message) => console.info(message, fields),
        warn: (fields, message) => console.warn(message, fields),
      },
    });
    let { activity } = node.state;
    node.subscribe((state) => {
      if (node !== this.#node) return;
      this.#countAnswers(answersFinished(activity, state.activity));
      activity = state.activity;
      this.pages.show('node');
      this.#showBadge(state);
    });
    node.start();
    if (contributing) node.contribute(true);
    return node;
  }

  #countAnswers(finished: number): void {
    if (finished === 0) return;
    this.#answersHelped += finished;
    forget(putValue(this.#database, 'answersHelped', this.#answersHelped));
  }

  #state(): AppState {
    return {
      settings: this.#settings,
      node: this.#node.state,
      answersHelped: this.#answersHelped,
      conversation: this.#conversation.turns,
    };
  }

  /** The service worker may be asleep: it is only woken for news. */
  #showBadge(state: NodeState): void {
    const notice = badgeOf(state, this.#settings.contributing);
    const key = JSON.stringify(notice);
    if (key === this.#badge) return;
    this.#badge = key;
    void browser.runtime.sendMessage({ type: 'badge', ...notice } satisfies Notice).catch(() => {
      // Nobody listens while the browser closes.
    });
  }
}

/** Nobody waits for it. What cannot be stored (a full disk, say) is lost with the browser, but works until then. */
function forget(work: Promise<void>): void {
  work.catch((error) => console.warn('something could not be stored', error));
}

/** The words of this profile's wallet, made on the first start. */
async function loadWallet(database: Database): Promise<Wallet> {
  const stored = await getValue(database, 'wallet');
  if (stored !== undefined) return createWallet(stored);
  const words = newWords();
  await putValue(database, 'wallet', words);
  return createWallet(words);
}

async function start(): Promise<App> {
  const database = openDatabase();
  const [wallet, settings, conversation = [], answersHelped = 0] = await Promise.all([
    loadWallet(database),
    getValue(database, 'settings'),
    getValue(database, 'conversation'),
    getValue(database, 'answersHelped'),
  ]);
  return new App(database, wallet, { settings: { ...DEFAULT_SETTINGS, ...settings }, conversation, answersHelped });
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
