/** Runs the node: one while there is an open wallet, none else, and never two. */
import { AiloError } from '../../shared/errors/index.ts';
import type { Seal } from '../../shared/ledger/checkpoint.ts';
import type { ChunkStore } from '../../shared/model/types.ts';
import { dialWebSocket } from '../../shared/node/dial.ts';
import type { LocalTexts } from '../../shared/node/local-texts.ts';
import { createNode } from '../../shared/node/node.ts';
import type { AiloNode, NodeState } from '../../shared/node/types.ts';
import { systemSchedule } from '../../shared/protocol/schedule.ts';
import { Mutex } from '../../shared/runtime/mutex.ts';
import type { Wallet } from '../../shared/wallet/wallet.ts';
import type { Settings } from '../state.ts';
import { createBrowserLearner, createBrowserRuntime } from './engine.ts';
import { answersFinished } from './helped.ts';
import { log } from './log.ts';
import { rtcLinks } from './rtc-links.ts';

/** Set by the build: `runtime.getManifest` is missing in offscreen documents. */
declare const AILO_VERSION: string;

export interface NodeHostOptions {
  chunks: ChunkStore;
  /** Of the person's own; `hasTexts` says whether there are any. */
  texts: LocalTexts;
  hasTexts(): boolean;
  wallet(): Wallet | undefined;
  settings(): Settings;
  /** The node's state changed, or there is another node, or none. */
  onChange(): void;
  /** The coordinator told its newest checkpoint; nothing about it was checked. */
  onCheckpoint(seal: Seal): void;
  /** So many answers that went through here were finished. */
  onAnswers(finished: number): void;
}

/** Settled when a node is made. */
const OF_ONE_NODE = ['coordinatorUrl', 'engine', 'memoryMiB'] as const;
type MadeWith = { wallet: Wallet | undefined; settings: Settings };

export class NodeHost {
  readonly #options: NodeHostOptions;
  readonly #mutex = new Mutex();
  #node: AiloNode | undefined;
  /** What `#node` was made with; undefined before the first. */
  #madeWith: MadeWith | undefined;

  constructor(options: NodeHostOptions) {
    this.#options = options;
  }

  /** Undefined while there is no node with the present wallet. */
  get state(): NodeState | undefined {
    return this.#madeWith?.wallet === this.#options.wallet() ? this.#node?.state : undefined;
  }

  /** Throws WALLET_LOCKED while there is no node. */
  chat(...request: Parameters<AiloNode['chat']>): ReturnType<AiloNode['chat']> {
    if (!this.#node) throw AiloError.of('WALLET_LOCKED', {});
    return this.#node.chat(...request);
  }

  /** Wallet or settings may be other ones: soon the node is as they say. */
  follow(): void {
    void this.#mutex.run(async () => {
      const now = { wallet: this.#options.wallet(), settings: this.#options.settings() };
      if (this.#madeWith && isSameNode(this.#madeWith, now)) {
        if (this.#node) this.#steer(this.#node, now.settings);
        return;
      }
      await this.#node?.stop().catch((error) => console.warn('the node did not stop cleanly', error));
      this.#start();
    });
  }

  /** What was learned so far, and not sent, is thrown away; training begins anew with what may be learned from now. */
  forgetLearned(): void {
    this.#node?.train(false);
    this.follow();
  }

  #start(): void {
    const [wallet, settings] = [this.#options.wallet(), this.#options.settings()];
    this.#madeWith = { wallet, settings };
    this.#node = wallet && this.#create(wallet, settings);
    this.#node?.start();
    if (this.#node) this.#steer(this.#node, settings);
    this.#options.onChange();
  }

  #create(wallet: Wallet, { coordinatorUrl, engine, memoryMiB }: Settings): AiloNode {
    const node = createNode({
      url: coordinatorUrl,
      wallet,
      client: { kind: 'extension', version: AILO_VERSION },
      createRuntime: () => createBrowserRuntime({ engine, memoryMiB }),
      createLearner: (campaign) => createBrowserLearner({ engine, memoryMiB }, campaign),
      chunks: this.#options.chunks,
      texts: this.#options.texts,
      fetch: (input, init) => fetch(input, init),
      dial: dialWebSocket,
      direct: rtcLinks,
      onCheckpoint: (seal) => this.#options.onCheckpoint(seal),
      schedule: systemSchedule,
      now: () => performance.now(),
      random: Math.random,
      log,
    });
    let { activity } = node.state;
    node.subscribe((state) => {
      if (node !== this.#node) return;
      const finished = answersFinished(activity, state.activity);
      activity = state.activity;
      if (finished > 0) this.#options.onAnswers(finished);
      this.#options.onChange();
    });
    return node;
  }

  #steer(node: AiloNode, { contributing, training }: Settings): void {
    node.contribute(contributing);
    const trains = training === 'public' || (training === 'local' && this.#options.hasTexts());
    node.train(contributing && trains, training === 'local' ? 'local' : 'public');
  }
}

function isSameNode(before: MadeWith, after: MadeWith): boolean {
  return before.wallet === after.wallet && OF_ONE_NODE.every((name) => before.settings[name] === after.settings[name]);
}
