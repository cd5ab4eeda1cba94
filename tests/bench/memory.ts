/**
 * `npm run bench -- memory`: what the processes of headless nodes take that hold a model between them, beside the bytes
 * of the weights that each was given: while it loads, and with an answer on its way through them.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Command, choice, integer, usage } from '../../server/cli.ts';
import { startCoordinator } from '../../server/coordinator/coordinator.ts';
import { openModel } from '../../server/coordinator/model-store.ts';
import { createHeadlessNode } from '../../server/node/headless.ts';
import { stageMemory } from '../../shared/graph/placement.ts';
import { QUANTS, type UnitRange } from '../../shared/graph/types.ts';
import type { AiloNode } from '../../shared/node/types.ts';
import { GREEDY } from '../../shared/sampler/types.ts';
import { QWEN_1_8B, writeRandomModel } from './random-model.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const READY_TIMEOUT_MS = 900_000;
const BUDGET_MIB = 16_384;
const MODEL = 'model';

interface Member {
  process: ChildProcess;
  range?: UnitRange;
}

export const memory: Command = {
  options: {
    model: { type: 'string', value: 'DIR', description: 'a model (default: random weights in Qwen1.5-1.8B’s shapes)' },
    stages: { type: 'string', value: 'K', description: 'nodes that hold it (4)' },
    quant: { type: 'string', value: 'QUANT', description: `${QUANTS.join(', ')} (int8)` },
    context: { type: 'string', value: 'N', description: 'longest text in tokens (512)' },
  },

  async run(values, cli) {
    if (process.platform !== 'linux') throw usage('this benchmark reads /proc, so it needs Linux');
    const stages = integer(values, 'stages', { min: 1, max: 64, default: 4 });
    const contextLength = integer(values, 'context', { min: 32, max: 32_768, default: 512 });
    const quant = choice(values, 'quant', QUANTS, 'int8');
    const folder = await mkdtemp(join(tmpdir(), 'ailo-memory-'));
    const undo: (() => unknown)[] = [() => rm(folder, { recursive: true, force: true })];
    try {
      const dir = typeof values.model === 'string' ? values.model : join(folder, 'model');
      if (values.model === undefined) {
        cli.print('Writing the model …');
        await writeRandomModel(dir, QWEN_1_8B, 1);
      }
      const dataDir = join(folder, 'coordinator');
      const models = [{ dir, id: MODEL, stages, quant, contextLength }];
      const coordinator = await startCoordinator({ dataDir, host: '127.0.0.1', port: 0, models, log: cli.log });
      undo.push(() => coordinator.close());
      const members = Array.from({ length: stages }, (_, i) => startMember(coordinator.url, join(folder, `node-${i}`)));
      for (const { process } of members) undo.push(() => ended(process));
      const asker = await createHeadlessNode({
        url: coordinator.url,
        dataDir: join(folder, 'asker'),
        budgetBytes: 2 ** 24,
        log: cli.log,
      });
      asker.start();
      undo.push(() => asker.stop());
      await roomReady(asker, members, cli.signal);
      const loaded = await Promise.all(members.map(({ process }) => memoryOfProcess(process.pid!)));
      await ask(asker);
      const answered = await Promise.all(members.map(({ process }) => memoryOfProcess(process.pid!)));
      const { config } = await openModel({ dir, id: MODEL, contextLength }, join(dataDir, 'manifests'));
      const nodes = members.map(({ range }, i) => {
        const figures = stageMemory(config, range!, quant, contextLength);
        const { weightBytes, cacheBytes } = figures;
        const peakOverWeights = round(loaded[i]!.peakBytes / weightBytes);
        return { ...range!, weightBytes, cacheBytes, loaded: loaded[i]!, answered: answered[i]!, peakOverWeights };
      });
      for (const { start, end, weightBytes, loaded, answered, peakOverWeights } of nodes) {
        const peak = `${mb(loaded.peakBytes)} MB at most while loading, ${peakOverWeights} times that`;
        cli.print(
          `Units ${start}–${end}: ${mb(weightBytes)} MB of weights; ${peak}; ${mb(answered.peakBytes)} MB with an answer`,
        );
      }
      cli.result({ benchmark: 'memory', quant, stages, contextLength, nodes });
    } finally {
      for (const step of undo.reverse()) await step();
    }
  },
};

function startMember(url: string, dataDir: string): Member {
  const options = ['--url', url, '--data', dataDir, '--threads', '1', '--budget-mib', String(BUDGET_MIB)];
  const args = ['--import', 'tsx', 'server/main.ts', 'node', ...options, '--json', '--log-level', 'info'];
  const member: Member = { process: spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'ignore', 'pipe'] }) };
  createInterface({ input: member.process.stderr! }).on('line', (line) => {
    const { activity } = line.startsWith('{') ? JSON.parse(line) : {};
    if (activity?.kind === 'ready') member.range = { start: activity.start, end: activity.end };
  });
  return member;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}

async function roomReady(asker: AiloNode, members: Member[], signal: AbortSignal): Promise<void> {
  for (const deadlineMs = Date.now() + READY_TIMEOUT_MS; ; ) {
    const room = asker.state.models.find(({ id }) => id === MODEL);
    if (room && room.ready === room.stages && members.every(({ range }) => range)) return;
    const dead = members.find(({ process }) => process.exitCode !== null);
    if (dead || signal.aborted || Date.now() > deadlineMs) throw new Error('the nodes did not load their parts');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function ask(asker: AiloNode): Promise<void> {
  const messages = [{ role: 'user' as const, content: 'Once upon a time there was a node that held a quarter.' }];
  for await (const _ of asker.chat({ model: MODEL, messages, maxNewTokens: 8, sampling: GREEDY }));
}

async function memoryOfProcess(pid: number): Promise<{ bytes: number; peakBytes: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kib = (field: string) => 1024 * Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)![1]);
  return { bytes: kib('VmRSS'), peakBytes: kib('VmHWM') };
}

function mb(bytes: number): number {
  return Math.round(bytes / 1e6);
}

function round(ratio: number): number {
  return Math.round(100 * ratio) / 100;
}
