/**
 * `npm run bench -- memory`: what the processes of headless nodes take that hold a model between them, beside the bytes
 * of the weights that each was given: while it loads, and with an answer on its way through them.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Cli, type Command, choice, integer, usage } from '../../server/cli.ts';
import { startCoordinator } from '../../server/coordinator/coordinator.ts';
import { folderSource } from '../../server/model/folder-source.ts';
import { createHeadlessNode } from '../../server/node/headless.ts';
import { stageMemory, unitBytes } from '../../shared/graph/placement.ts';
import { QUANTS, type Quant, type UnitRange } from '../../shared/graph/types.ts';
import { units } from '../../shared/graph/units.ts';
import { loadConfig } from '../../shared/model/config.ts';
import type { ModelConfig } from '../../shared/model/types.ts';
import type { AiloNode } from '../../shared/node/types.ts';
import { splitEvenly } from '../../shared/plan/plan.ts';
import { GREEDY } from '../../shared/sampler/types.ts';
import { QWEN_1_8B, writeRandomModel } from './random-model.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const READY_TIMEOUT_MS = 900_000;
const BUDGET_MIB = 16_384;
const MODEL = 'model';

interface Member {
  process: ChildProcess;
  range: UnitRange;
  empty?: ProcessMemory;
  loaded?: ProcessMemory;
}

interface ProcessMemory {
  bytes: number;
  peakBytes: number;
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
      const config = await loadConfig(folderSource(dir));
      const models = [{ dir, id: MODEL, stages, quant, contextLength }];
      const dataDir = join(folder, 'coordinator');
      const coordinator = await startCoordinator({ dataDir, host: '127.0.0.1', port: 0, models, log: cli.log });
      undo.push(() => coordinator.close());
      const members = equalParts(config, stages, quant).map((range, i) =>
        startMember(coordinator.url, join(folder, `node-${i}`), range),
      );
      for (const { process } of members) undo.push(() => ended(process));
      const asker = await startAsker(coordinator.url, folder, cli);
      undo.push(() => asker.stop());
      await roomReady(asker, members, cli.signal);
      for (const member of members) member.loaded = memoryOfProcess(member.process.pid!);
      await ask(asker);
      const nodes = members.map((member) => figures(member, config, quant, contextLength));
      for (const node of nodes) cli.print(sentence(node));
      cli.result({ benchmark: 'memory', quant, stages, contextLength, nodes });
    } finally {
      for (const step of undo.reverse()) await step();
    }
  },
};

/** Runs of units whose weights are as equal as can be. */
function equalParts(config: ModelConfig, parts: number, quant: Quant): UnitRange[] {
  const bytes = units(config).map((unit) => unitBytes(config, unit, quant));
  return splitEvenly(bytes, parts);
}

function startMember(url: string, dataDir: string, range: UnitRange): Member {
  const wish = ['--model', MODEL, '--units', `${range.start}-${range.end}`];
  const options = ['--url', url, '--data', dataDir, '--threads', '1', '--budget-mib', String(BUDGET_MIB), ...wish];
  const args = ['server/ailo.mjs', 'node', ...options, '--json', '--log-level', 'info'];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'ignore', 'pipe'] });
  const member: Member = { process: child, range };
  createInterface({ input: child.stderr! }).on('line', (line) => {
    const { activity } = line.startsWith('{') ? JSON.parse(line) : {};
    if (activity?.kind === 'waiting' || activity?.kind === 'loading') member.empty ??= memoryOfProcess(child.pid!);
  });
  return member;
}

async function startAsker(url: string, folder: string, { log }: Cli): Promise<AiloNode> {
  const asker = await createHeadlessNode({ url, dataDir: join(folder, 'asker'), budgetBytes: 2 ** 24, log });
  asker.start();
  return asker;
}

function figures({ process, range, empty, loaded }: Member, config: ModelConfig, quant: Quant, contextLength: number) {
  const { weightBytes, cacheBytes } = stageMemory(config, range, quant, contextLength);
  return {
    ...range,
    weightBytes,
    cacheBytes,
    /** Before it was given anything to hold. */
    emptyBytes: empty!.bytes,
    loadedBytes: loaded!.bytes,
    loadingPeakBytes: loaded!.peakBytes,
    answeringPeakBytes: memoryOfProcess(process.pid!).peakBytes,
    peakOverWeights: ratio(loaded!.peakBytes, weightBytes),
    growthOverWeights: ratio(loaded!.peakBytes - empty!.bytes, weightBytes),
  };
}

function sentence(node: ReturnType<typeof figures>): string {
  const { start, end, weightBytes, emptyBytes, loadingPeakBytes, answeringPeakBytes } = node;
  const weights = `Units ${start}–${end - 1}: ${mb(weightBytes)} MB of weights`;
  const loading = `a process of ${mb(emptyBytes)} MB became one of ${mb(loadingPeakBytes)} MB at most`;
  const ratios = `${node.peakOverWeights} times the weights in all, ${node.growthOverWeights} times beyond the empty node`;
  return `${weights}; ${loading} (${ratios}); ${mb(answeringPeakBytes)} MB with an answer`;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}

async function roomReady(asker: AiloNode, members: Member[], signal: AbortSignal): Promise<void> {
  for (const deadlineMs = Date.now() + READY_TIMEOUT_MS; ; ) {
    const room = asker.state.models.find(({ id }) => id === MODEL);
    if (room && room.ready === room.stages) return;
    const dead = members.find(({ process }) => process.exitCode !== null);
    if (dead || signal.aborted || Date.now() > deadlineMs) throw new Error('the nodes did not load their parts');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function ask(asker: AiloNode): Promise<void> {
  const messages = [{ role: 'user' as const, content: 'Once upon a time there was a node that held a quarter.' }];
  for await (const _ of asker.chat({ model: MODEL, messages, maxNewTokens: 8, sampling: GREEDY }));
}

/** What is resident, files that are mapped included: the most that the process can be blamed for. */
function memoryOfProcess(pid: number): ProcessMemory {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kib = (field: string) => 1024 * Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)![1]);
  return { bytes: kib('VmRSS'), peakBytes: kib('VmHWM') };
}

function mb(bytes: number): number {
  return Math.round(bytes / 1e6);
}

function ratio(bytes: number, of: number): number {
  return Math.round((100 * bytes) / of) / 100;
}
