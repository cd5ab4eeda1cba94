/** The contributing node in Node.js: shared/node with onnxruntime-node, a wallet file and chunks on disk. */
import { join } from 'node:path';
import type { Logger } from 'pino';
import packageJson from '../../package.json' with { type: 'json' };
import { type Dial, dialWebSocket } from '../../shared/node/dial.ts';
import { createNode, type NodeOptions } from '../../shared/node/node.ts';
import type { AiloNode } from '../../shared/node/types.ts';
import { systemSchedule } from '../../shared/protocol/schedule.ts';
import type { LedgerClient } from '../../shared/replica/ledger-client.ts';
import type { Wallet } from '../../shared/wallet/wallet.ts';
import { folderChunkStore } from '../model/folder-chunks.ts';
import { createNodeRuntime } from '../runtime/node-runtime.ts';
import { createNodeLearner } from './learner.ts';
import { createNodeLedger } from './ledger.ts';
import { openWalletFile } from './wallet-file.ts';

export interface HeadlessOptions extends Pick<NodeOptions, 'url' | 'want' | 'texts'> {
  /** Claimed for the wallet; absent keeps what it has. */
  username?: string;
  /** Keeps the model chunks, and the wallet unless `walletFile` says otherwise. Nodes of one machine may share it. */
  dataDir: string;
  walletFile?: string;
  /** Memory (bytes) that a stage may take. */
  budgetBytes: number;
  /** What model chunks may take of the disk; absent: as much as there is. */
  cacheBytes?: number;
  /** Threads that compute; absent: one for each core. */
  threads?: number;
  log: Logger;
  dial?: Dial;
}

/** A node and its wallet's life on the ledger, which begin and end together. */
export interface HeadlessNode extends AiloNode {
  readonly wallet: Wallet;
  /** Undefined before `start` and after `stop`. */
  readonly ledger: LedgerClient | undefined;
}

/** A node that is not started yet. Throws WALLET_FILE_INVALID, WORDS_INVALID. */
export async function createHeadlessNode(options: HeadlessOptions): Promise<HeadlessNode> {
  const { url, want, texts, dataDir, budgetBytes, cacheBytes, threads, dial = dialWebSocket } = options;
  const wallet = await openWalletFile(options.walletFile ?? join(dataDir, 'wallet.json'));
  const log = options.log.child({ node: wallet.address });
  let ledger: LedgerClient | undefined;
  const node = createNode({
    url,
    wallet,
    ...(want && { want }),
    ...(texts && { texts }),
    client: { kind: 'headless', version: packageJson.version },
    createLearner: (campaign) =>
      createNodeLearner(campaign, {
        budgetBytes,
        folder: join(dataDir, 'training', wallet.address, campaign.id),
        ...(cacheBytes !== undefined && { diskBytes: cacheBytes }),
        ...(threads !== undefined && { threads }),
      }),
    createRuntime: async () =>
      createNodeRuntime({
        budgetBytes,
        stagingFolder: join(dataDir, 'stages'),
        ...(threads !== undefined && { threads }),
      }),
    chunks: folderChunkStore(join(dataDir, 'chunks'), cacheBytes === undefined ? {} : { limitBytes: cacheBytes }),
    fetch,
    dial,
    onCheckpoint: (seal) => ledger?.follow(seal),
    schedule: systemSchedule,
    // Computing keeps this thread; sockets are read before the next immediate.
    afterArrivals: () => new Promise((resolve) => setImmediate(resolve)),
    now: () => performance.now(),
    random: Math.random,
    log,
  });
  // Not spread: a node's state is read anew each time.
  return {
    wallet,
    get ledger() {
      return ledger;
    },
    get state() {
      return node.state;
    },
    subscribe: node.subscribe,
    contribute: node.contribute,
    train: node.train,
    chat: node.chat,
    start() {
      ledger ??= createNodeLedger({ ...options, wallet, log });
      node.start();
    },
    async stop() {
      await node.stop();
      const closing = ledger;
      ledger = undefined;
      await closing?.close();
    },
  };
}

/** Takes nothing new, finishes what runs (for `timeoutMs` at most), and stops. */
export async function retire(node: AiloNode, timeoutMs: number): Promise<void> {
  node.contribute(false);
  await new Promise<void>((resolve) => {
    const settle = () => {
      cancel();
      unsubscribe();
      resolve();
    };
    const cancel = systemSchedule(settle, timeoutMs);
    const look = () => node.state.activity.kind === 'off' && settle();
    const unsubscribe = node.subscribe(look);
    look();
  });
  await node.stop();
}
