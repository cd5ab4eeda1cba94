/**
 * The offscreen document: hosts the node (socket, wallet, stages, jobs) and the conversation, and shows both to whatever
 * page connects. It outlives the service worker and every popup.
 */
import * as v from 'valibot';
import browser from 'webextension-polyfill';
import { dialWebSocket } from '../../shared/node/dial.ts';
import { createNode } from '../../shared/node/node.ts';
import type { AiloNode, NodeState } from '../../shared/node/types.ts';
import { systemSchedule } from '../../shared/protocol/schedule.ts';
import { createWallet, type Wallet } from '../../shared/wallet/wallet.ts';
import { newWords } from '../../shared/wallet/words.ts';
import { Command, type Notice, PORT, type Update } from '../messages.ts';
import type { AppState, Settings } from '../state.ts';
import { badgeOf } from './badge.ts';
import { changed } from './change.ts';
import { indexedDbChunks } from './chunk-store.ts';
import { type Conversation, createConversation } from './conversation.ts';
import { type Database, getValue, openDatabase, putValue } from './database.ts';
import { createBrowserRuntime } from './engine.ts';
import { answersFinished } from './helped.ts';
import { DEFAULT_SETTINGS } from './settings.ts';

/** Set by the build: `runtime.getManifest` is missing in offscreen documents. */
declare const AILO_VERSION: string;

/** A node changes with every step of every job; pages are told at most so often. */
const PUSH_EVERY_MS = 40;

type Part = 'node' | 'conversation' | 'answer';

class App {
  readonly #database: Database;
  readonly #wallet: Wallet;
  readonly #conversation: Conversation;
  readonly #ports = new Set<browser.Runtime.Port>();
  /** What pages were not told yet. */
  readonly #due = new Set<Part>();
  #pushTimer: ReturnType<typeof setTimeout> | undefined;
  #settings: Settings;
  #answersHelped: number;
  #node: AiloNode;
  /** Stopping and starting nodes, in order, so that there is never a second one. Never rejects. */
  #work: Promise<void> = Promise.resolve();
  #badge = '';

  constructor(database: Database, wallet: Wallet, { settings, conversation, answersHelped }: Omit<AppState, 'node'>) {
    this.#database = database;
    this.#wallet = wallet;
    this.#settings = settings;
    this.#answersHelped = answersHelped;
    this.#node = this.#startNode();
    this.#conversation = createConversation({
      chat: (request, signal) => this.#node.chat(request, signal),
      turns: conversation,
      save: (saved) => putValue(database, 'conversation', saved),
      onChange: () => this.#show('conversation'),
      onAnswer: () => this.#show('answer'),
      now: () => performance.now(),
      seed: () => crypto.getRandomValues(new Uint32Array(1))[0]!,
    });
  }

  connect(port: browser.Runtime.Port): void {
    this.#ports.add(port);
    port.onDisconnect.addListener(() => this.#ports.delete(port));
    port.onMessage.addListener((message) => {
      const parsed = v.safeParse(Command, message);
      if (parsed.success) void this.#obey(parsed.output);
    });
    port.postMessage({ type: 'state', state: this.#state() } satisfies Update);
  }

  async #obey(command: Command): Promise<void> {
    switch (command.type) {
      case 'ask':
        return this.#conversation.ask(command.model, command.text, this.#settings);
      case 'stop':
        return this.#conversation.stop();
      case 'clear':
        return this.#conversation.clear();
      case 'change':
        return this.#change(command.settings);
    }
  }

  async #change(change: Partial<Settings>): Promise<void> {
    const before = this.#settings;
    const after = changed(before, change);
    this.#settings = after;
    this.#show('node');
    await putValue(this.#database, 'settings', after);
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
    this.#show('node');
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
      this.#show('node');
      this.#showBadge(state);
    });
    node.start();
    if (contributing) node.contribute(true);
    return node;
  }

  #countAnswers(finished: number): void {
    if (finished === 0) return;
    this.#answersHelped += finished;
    void putValue(this.#database, 'answersHelped', this.#answersHelped);
  }

  #nodeState(): Omit<AppState, 'conversation'> {
    return { settings: this.#settings, node: this.#node.state, answersHelped: this.#answersHelped };
  }

  #state(): AppState {
    return { ...this.#nodeState(), conversation: this.#conversation.turns };
  }

  #show(part: Part): void {
    if (this.#ports.size === 0) return;
    this.#due.add(part);
    this.#pushTimer ??= setTimeout(() => this.#push(), PUSH_EVERY_MS);
  }

  #push(): void {
    this.#pushTimer = undefined;
    const has = (part: Part) => this.#due.has(part);
    const turns = this.#conversation.turns;
    const answer = turns.at(-1);
    if (has('node') || has('conversation')) {
      const change = { ...(has('node') && this.#nodeState()), ...(has('conversation') && { conversation: turns }) };
      this.#post({ type: 'change', change });
    }
    if (has('answer') && !has('conversation') && answer) this.#post({ type: 'answer', turn: answer });
    this.#due.clear();
  }

  #post(update: Update): void {
    for (const port of this.#ports) port.postMessage(update);
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
  if (port.name === PORT) void app.then((ready) => ready.connect(port));
});
