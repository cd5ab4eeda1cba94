/**
 * One network with one node that cheats: a real coordinator, real nodes over a trained model, each stage held by others
 * too. It is asked until the cheat is caught, and then once more.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { startCoordinator } from '../../../server/coordinator/coordinator.ts';
import type { Trust } from '../../../server/coordinator/honesty/trust.ts';
import { openTrust } from '../../../server/coordinator/honesty/trust-store.ts';
import { folderChunkStore } from '../../../server/model/folder-chunks.ts';
import { createNodeRuntime } from '../../../server/runtime/node-runtime.ts';
import { openDatabase } from '../../../server/store/database.ts';
import { AiloError } from '../../../shared/errors/index.ts';
import type { Quant } from '../../../shared/graph/types.ts';
import { dialWebSocket } from '../../../shared/node/dial.ts';
import { createNode, type NodeOptions } from '../../../shared/node/node.ts';
import type { AiloNode } from '../../../shared/node/types.ts';
import { paths } from '../../../shared/protocol/http.ts';
import { systemSchedule } from '../../../shared/protocol/schedule.ts';
import type { Runtime } from '../../../shared/runtime/types.ts';
import { GREEDY, type Sampling } from '../../../shared/sampler/types.ts';
import { Wallet } from '../../../shared/wallet/wallet.ts';

const MODEL = 'stories260k';
/** Placement units of the model. */
const UNITS = 12;
const BUDGET_BYTES = 64 * 2 ** 20;
const ANSWER_TOKENS = 24;
const WAIT_MS = 60_000;
const RATE_PAUSE_MS = 500;
/** Rewards reach the ledger a moment after an answer. */
const PAID_WITHIN_MS = 300;
const QUESTIONS = ['Once upon a time', 'Lily had a dog', 'The sun was', 'One day, Tim went', 'Mom said'];
const WARM: Sampling = { temperature: 0.9, topK: 0, topP: 0.9, repetitionPenalty: 1.1, seed: 7 };

export interface NetworkOptions {
  modelDir: string;
  stages: number;
  quant: Quant;
  /** Of each stage; the first is held by the first node that joins for it. */
  holders: number[];
  /** The node that joins first for a stage: what it computes with, and what is known of it. */
  cheat?: { stage: number; runtime(honest: Runtime): Runtime; trust?: Trust };
  /** Keeps model chunks between networks. */
  chunksDir: string;
}

export interface Answer {
  text: string;
  ids: number[];
  rewound: number;
  latencyMs: number;
  /** From the last token to the end, when the checks are through. */
  checkedMs: number;
}

/** A network in this process. `found`: what the coordinator said of answers that were not right, by address. */
export async function createNetwork(options: NetworkOptions) {
  const { modelDir, stages, quant, holders, cheat } = options;
  const folder = await mkdtemp(join(tmpdir(), 'ailo-honesty-'));
  const found: { caught: string[]; silent: string[]; disputed: string[][] }[] = [];
  const log = pino({ level: 'warn', base: null }, { write: (line) => void keepFinding(line, found) });
  const wallet = newWallet();
  const dataDir = join(folder, 'coordinator');
  if (cheat?.trust) await storeTrust(dataDir, wallet.address, cheat.trust);
  const models = [{ dir: modelDir, id: MODEL, stages, quant }];
  const coordinator = await startCoordinator({ dataDir, host: '127.0.0.1', port: 0, models, log });
  const nodes: AiloNode[] = [];
  const chunks = folderChunkStore(options.chunksDir);

  async function enter(stage: number | undefined, of: Wallet, runtime: (honest: Runtime) => Runtime) {
    const edge = (i: number) => Math.round((i * UNITS) / stages);
    const want = stage === undefined ? {} : { want: { model: MODEL, start: edge(stage), end: edge(stage + 1) } };
    const settings: NodeOptions = {
      url: coordinator.url,
      wallet: of,
      ...want,
      client: { kind: 'headless', version: 'bench' },
      createRuntime: async () => runtime(createNodeRuntime({ budgetBytes: BUDGET_BYTES, threads: 1 })),
      chunks,
      fetch,
      dial: dialWebSocket,
      schedule: systemSchedule,
      now: () => performance.now(),
      random: Math.random,
      log: pino({ level: 'silent' }),
    };
    const node = createNode(settings);
    nodes.push(node);
    node.start();
    if (stage !== undefined) node.contribute(true);
    await until(() => (stage === undefined ? node.state.connection === 'connected' : isWaitingOrReady(node)));
    return node;
  }

  const honest = (runtime: Runtime) => runtime;
  // One for each stage, so that the cheat is the one that is asked, then those who stand by.
  for (const round of Array(Math.max(...holders)).keys()) {
    for (const [stage, count] of holders.entries()) {
      const isCheat = cheat?.stage === stage && round === 0;
      if (round < count) await enter(stage, isCheat ? wallet : newWallet(), isCheat ? cheat.runtime : honest);
    }
    await until(() => nodes.every(({ state }) => state.activity.kind === 'ready'));
  }
  const requester = await enter(undefined, newWallet(), honest);
  await until(() => requester.state.models[0]?.ready === stages);

  async function askOnce(n: number): Promise<Answer> {
    const content = QUESTIONS[n % QUESTIONS.length]!;
    const sampling = n % 2 === 0 ? GREEDY : { ...WARM, seed: n };
    const answer: Answer = { text: '', ids: [], rewound: 0, latencyMs: 0, checkedMs: 0 };
    let lastTokenMs = 0;
    const asked = {
      model: MODEL,
      messages: [{ role: 'user' as const, content }],
      maxNewTokens: ANSWER_TOKENS,
      sampling,
    };
    for await (const event of requester.chat(asked)) {
      if (event.kind === 'token') {
        answer.ids.push(event.token);
        lastTokenMs = performance.now();
      } else if (event.kind === 'rewound') {
        answer.ids.length = event.index;
        answer.rewound++;
      } else if (event.kind === 'finished') {
        const { text, latencyMs } = event;
        Object.assign(answer, { text, latencyMs, checkedMs: performance.now() - lastTokenMs });
      }
    }
    return answer;
  }

  return {
    cheater: wallet.address,
    found,
    /** The n-th question; the same n, the same answer. Waits where the coordinator says that it is too much at once. */
    async ask(n: number): Promise<Answer> {
      for (;;) {
        try {
          return await askOnce(n);
        } catch (error) {
          if (!(error instanceof AiloError && error.code === 'RATE_LIMITED')) throw error;
          await new Promise((resolve) => setTimeout(resolve, RATE_PAUSE_MS));
        }
      }
    },
    async earnedMicroAlc(address: string): Promise<number> {
      await new Promise((resolve) => setTimeout(resolve, PAID_WITHIN_MS));
      const account = (await (await fetch(new URL(paths.account(address), coordinator.url))).json()) as {
        earnedTotalMicroAlc: string;
      };
      return Number(account.earnedTotalMicroAlc);
    },
    async close() {
      await Promise.all(nodes.map((node) => node.stop()));
      await coordinator.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export type Network = Awaited<ReturnType<typeof createNetwork>>;

function newWallet(): Wallet {
  return new Wallet(new Uint8Array(randomBytes(32)));
}

async function storeTrust(dataDir: string, address: string, trust: Trust): Promise<void> {
  await mkdir(dataDir, { recursive: true });
  const database = await openDatabase(join(dataDir, 'ailo.sqlite'));
  const store = await openTrust(database, pino({ level: 'silent' }));
  store.update(address, () => trust);
  await store.stored();
  await database.destroy();
}

function keepFinding(line: string, found: { caught: string[]; silent: string[]; disputed: string[][] }[]): void {
  const entry = JSON.parse(line);
  if (entry.msg === 'an answer was not right') found.push(entry);
}

/** A wish that the room has not been planned around yet waits. */
function isWaitingOrReady({ state }: AiloNode): boolean {
  return state.activity.kind === 'waiting' || state.activity.kind === 'ready';
}

async function until(isSo: () => boolean): Promise<void> {
  for (const deadlineMs = performance.now() + WAIT_MS; !isSo(); ) {
    if (performance.now() > deadlineMs) throw new Error('the network did not come to be in time');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
