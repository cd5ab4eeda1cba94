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
import { indexedDbChunks } from './chunk-store.ts';
import { type Conversation, createConversation } from './conversation.ts';
import { type Database, getValue, openDatabase, putValue } from './database.ts';
import { createBrowserRuntime } from './engine.ts';
import { DEFAULT_SETTINGS } from './settings.ts';

const VERSION = browser.runtime.getManifest().version;

class App {
  readonly #database: Database;
  readonly #wallet: Wallet;
  readonly #conversation: Conversation;
  readonly #ports = new Set<browser.Runtime.Port>();
  #settings: Settings;
  #node: AiloNode;
  #badge = '';

  constructor(database: Database, wallet: Wallet, settings: Settings, turns: AppState['conversation']) {
    this.#database = database;
    this.#wallet = wallet;
    this.#settings = settings;
    this.#node = this.#startNode();
    this.#conversation = createConversation({
      chat: (request, signal) => this.#node.chat(request, signal),
      turns,
      save: (saved) => putValue(database, 'conversation', saved),
      onChange: () => this.#show(),
      onAnswer: (turn) => this.#post({ type: 'answer', turn }),
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
    const after = { ...before, ...change };
    this.#settings = after;
    await putValue(this.#database, 'settings', after);
    // Whom to connect to, and as whom, is settled when a node is made.
    if (after.coordinatorUrl !== before.coordinatorUrl || after.username !== before.username) {
      const old = this.#node;
      this.#node = this.#startNode();
      await old.stop();
    } else if (after.contributing !== before.contributing) {
      this.#node.contribute(after.contributing);
    }
    this.#show();
  }

  #startNode(): AiloNode {
    const { coordinatorUrl, username, contributing } = this.#settings;
    const node = createNode({
      url: coordinatorUrl,
      wallet: this.#wallet,
      ...(username !== undefined && { username }),
      client: { kind: 'extension', version: VERSION },
      createRuntime: createBrowserRuntime,
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
    node.subscribe((state) => {
      if (node !== this.#node) return;
      this.#show();
      this.#showBadge(state);
    });
    node.start();
    if (contributing) node.contribute(true);
    return node;
  }

  #state(): AppState {
    return { settings: this.#settings, node: this.#node.state, conversation: this.#conversation.turns };
  }

  #show(): void {
    if (this.#ports.size > 0) this.#post({ type: 'state', state: this.#state() });
  }

  #post(update: Update): void {
    for (const port of this.#ports) port.postMessage(update);
  }

  /** The service worker may be asleep: it is only woken for news. */
  #showBadge(state: NodeState): void {
    const notice = badgeOf(state);
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
  const [wallet, settings, turns] = await Promise.all([
    loadWallet(database),
    getValue(database, 'settings'),
    getValue(database, 'conversation'),
  ]);
  return new App(database, wallet, { ...DEFAULT_SETTINGS, ...settings }, turns ?? []);
}

const app = start();
// Registered at once: a page may connect while the database is still opening.
browser.runtime.onConnect.addListener((port) => {
  if (port.name === PORT) void app.then((ready) => ready.connect(port));
});
