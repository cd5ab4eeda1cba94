/** A node program of a simulation: the node of shared/node with the headless host's parts, without a copy of the ledger. */
import { randomBytes } from 'node:crypto';
import packageJson from '../../package.json' with { type: 'json' };
import { type Dial, dialWebSocket, type NodeSocket } from '../../shared/node/dial.ts';
import type { Log } from '../../shared/node/log.ts';
import { createNode } from '../../shared/node/node.ts';
import type { AiloNode } from '../../shared/node/types.ts';
import { systemSchedule } from '../../shared/protocol/schedule.ts';
import type { Measurement, Runtime } from '../../shared/runtime/types.ts';
import { Wallet } from '../../shared/wallet/wallet.ts';
import { folderChunkStore } from '../model/folder-chunks.ts';
import { createNodeRuntime } from '../runtime/node-runtime.ts';
import { delayedSocket, delays, type LinkOptions } from './delay.ts';
import { NODE_BUDGET_BYTES } from './limits.ts';

export interface ProgramOptions {
  /** The coordinator. */
  url: string;
  /** Keeps the model's chunks; programs of one process share it. */
  chunksDir: string;
  /** What messages to this program wait for; absent: they come at once. */
  link?: LinkOptions & { seed: number };
  log: Log;
}

export interface Program {
  readonly node: AiloNode;
  /** Ends it as a killed process ends: its socket closes, and nothing of it says or does anything any more. */
  end(): void;
}

export function createProgram({ url, chunksDir, link, log }: ProgramOptions): Program {
  const plug = createPlug(link ? lateDial(link) : dialWebSocket);
  const node = createNode({
    url,
    wallet: new Wallet(randomBytes(32)),
    client: { kind: 'headless', version: packageJson.version },
    createRuntime: async () => oneMeasurement(createNodeRuntime({ budgetBytes: NODE_BUDGET_BYTES, threads: 1 })),
    chunks: folderChunkStore(chunksDir),
    fetch,
    dial: plug.dial,
    schedule: systemSchedule,
    afterArrivals: () => new Promise((resolve) => setImmediate(resolve)),
    now: () => performance.now(),
    random: Math.random,
    log,
  });
  return { node, end: plug.pull };
}

/** What comes is late, what goes is not: each hop takes one latency. */
function lateDial(link: LinkOptions & { seed: number }): Dial {
  const waiting = { delayMs: delays(link, link.seed), now: () => performance.now(), schedule: systemSchedule };
  return (url) => delayedSocket(dialWebSocket(url), waiting);
}

/** Sockets that can all be cut off for good. */
function createPlug(dial: Dial): { dial: Dial; pull(): void } {
  let pulled = false;
  let current: NodeSocket | undefined;
  const unlessPulled =
    <A extends unknown[]>(act: (...args: A) => unknown) =>
    (...args: A) =>
      pulled ? undefined : act(...args);
  return {
    dial(url) {
      if (pulled) return { on() {}, emit() {}, disconnect() {} };
      const socket = dial(url);
      current = socket;
      return {
        on: (event, listener) => socket.on(event, unlessPulled(listener)),
        emit: unlessPulled((event, ...args) => socket.emit(event, ...args)),
        disconnect: () => socket.disconnect(),
      };
    },
    pull() {
      pulled = true;
      current?.disconnect();
    },
  };
}

let measured: Promise<Measurement> | undefined;

/** Programs of one process are one machine, and none of them is faster while hundreds measure themselves. */
function oneMeasurement(runtime: Runtime): Runtime {
  return {
    ...runtime,
    measure() {
      measured ??= runtime.measure();
      return measured;
    },
  };
}
