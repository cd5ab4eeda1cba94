/** A network of real processes on this machine: a coordinator and a node for each stage. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { createHeadlessNode, type HeadlessNode } from '../../../server/node/headless.ts';
import type { Quant } from '../../../shared/graph/types.ts';
import type { AiloNode } from '../../../shared/node/types.ts';
import { MAX_REQUESTS_PER_REQUESTER } from '../../../shared/protocol/limits.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const MAIN = ['server/ailo.mjs'];
const HOLLOW = ['--import', 'tsx', 'tests/bench/pipeline/hollow-node.ts'];
/** Loading reads, hashes and quantises gigabytes. */
const READY_TIMEOUT_MS = 1_800_000;

export interface RoomOptions {
  folder: string;
  modelDir: string;
  quant: Quant;
  contextLength: number;
  stages: number;
  /** Each node's. */
  threads: number;
  budgetMib: number;
  /** Nodes that compute nothing. */
  hollow?: boolean;
  /** Answers that will be asked for at once. */
  streams: number;
  log: Logger;
  signal: AbortSignal;
}

export interface Room {
  model: string;
  /** For the stream of this number. */
  requester(stream: number): AiloNode;
  /** Of each node process in MiB, the most it ever had; undefined where the system does not tell. */
  peakRssMib(): Promise<(number | undefined)[]>;
  close(): Promise<void>;
}

export async function openRoom(options: RoomOptions): Promise<Room> {
  const { folder, stages, threads, budgetMib, hollow, streams, log, signal } = options;
  const processes: ChildProcess[] = [];
  const requesters: HeadlessNode[] = [];
  const run = (...args: string[]) => {
    const child = spawn(process.execPath, args, {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    processes.push(child);
    return child;
  };
  const close = async () => {
    await Promise.all(requesters.map((node) => node.stop()));
    await Promise.all(processes.reverse().map(end));
  };
  try {
    const { url, models } = await serve(run, options);
    const nodes = Array.from({ length: stages }, (_, i) => {
      const dataDir = join(folder, `node-${i}`);
      const settings = ['--data', dataDir, '--threads', `${threads}`, '--budget-mib', `${budgetMib}`];
      const child = hollow ? run(...HOLLOW, url, dataDir) : run(...MAIN, 'node', '--url', url, ...settings);
      child.stdout!.resume();
      return child;
    });
    for (let i = 0; i < Math.ceil(streams / MAX_REQUESTS_PER_REQUESTER); i++) {
      const dataDir = join(folder, `requester-${i}`);
      requesters.push(await createHeadlessNode({ url, dataDir, budgetBytes: 2 ** 20, log }));
    }
    for (const node of requesters) node.start();
    await Promise.all(requesters.map((node) => ready(node, stages, signal)));
    return {
      model: models[0]!,
      requester: (stream) => requesters[Math.floor(stream / MAX_REQUESTS_PER_REQUESTER)]!,
      peakRssMib: () => Promise.all(nodes.map(({ pid }) => peakRssMib(pid!))),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function serve(run: (...args: string[]) => ChildProcess, options: RoomOptions) {
  const { folder, modelDir, quant, contextLength, stages } = options;
  const settings = {
    model: modelDir,
    stages,
    quant,
    context: contextLength,
    port: 0,
    data: join(folder, 'coordinator'),
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, `${value}`]);
  const coordinator = run(...MAIN, 'serve', '--json', ...args);
  const ended = once(coordinator, 'exit').then(() => {
    throw new Error('the coordinator ended');
  });
  const [line] = await Promise.race([once(createInterface(coordinator.stdout!), 'line'), ended]);
  ended.catch(() => {});
  return JSON.parse(line as string) as { url: string; models: string[] };
}

async function ready(node: AiloNode, stages: number, signal: AbortSignal): Promise<void> {
  const isReady = () => node.state.models.some((model) => model.ready === stages);
  let unsubscribe = () => {};
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('the room was not ready in time')), READY_TIMEOUT_MS);
      const settle = () => {
        clearTimeout(timer);
        if (signal.aborted) reject(signal.reason);
        else resolve();
      };
      signal.addEventListener('abort', settle, { once: true });
      unsubscribe = node.subscribe(() => isReady() && settle());
      if (isReady() || signal.aborted) settle();
    });
  } finally {
    unsubscribe();
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await exited;
  clearTimeout(timer);
}

/** Linux keeps the figure in /proc. */
async function peakRssMib(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  return kib === undefined ? undefined : Math.round(Number(kib) / 1024);
}
