/** Starts processes of node programs and keeps in touch with them. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { AiloError } from '../../shared/errors/index.ts';
import { PROCESS_TIMEOUT_MS } from './limits.ts';
import type { FromProcess, StartPrograms, ToProcess, Usage } from './process-messages.ts';

const SCRIPT = fileURLToPath(new URL('./process.ts', import.meta.url));

export interface ProcessesOptions extends Omit<StartPrograms, 'count' | 'firstSeed'> {
  processes: number;
  /** In all of them together. */
  programs: number;
  seed: number;
  logLevel: string;
}

export interface Processes {
  /** Settles when every program has a part in memory. Rejects with SIMULATION_FAILED, CANCELLED. */
  loaded(signal: AbortSignal): Promise<void>;
  /** Ends the program with this address. */
  end(address: string): void;
  usage(): Promise<Usage[]>;
  /** Kills all that is left. */
  close(): Promise<void>;
}

/** Throws SIMULATION_FAILED when a process ends before it has begun. */
export async function startProcesses(options: ProcessesOptions): Promise<Processes> {
  const { url, chunksDir, link, processes, programs } = options;
  const children: ChildProcess[] = [];
  const homes = new Map<string, ChildProcess>();
  const waiting = { loaded: new Set<string>(), look: () => {} };

  async function close(): Promise<void> {
    const ends = children.filter(isRunning).map((child) => once(child, 'exit'));
    for (const child of children) child.kill('SIGKILL');
    await Promise.all(ends);
  }

  try {
    for (let i = 0, firstSeed = options.seed; i < processes; i++) {
      const count = share(programs, processes, i);
      if (count === 0) continue;
      const child = launch(options.logLevel);
      children.push(child);
      child.on('message', (message: FromProcess) => {
        if (message.kind === 'loaded') waiting.loaded.add(message.address);
        waiting.look();
      });
      const started = answer(child, 'started');
      tell(child, { kind: 'start', url, chunksDir, link, count, firstSeed });
      for (const address of (await started).addresses) homes.set(address, child);
      firstSeed += count;
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    loaded: (signal) =>
      new Promise((resolve, reject) => {
        waiting.look = () => waiting.loaded.size === programs && resolve();
        for (const child of children) child.once('exit', (code) => reject(failed(`it ended with ${code}`)));
        signal.addEventListener('abort', () => reject(failed(`${waiting.loaded.size} of ${programs} are loaded`)));
        waiting.look();
      }),
    end(address) {
      const home = homes.get(address);
      if (home) tell(home, { kind: 'end', address });
    },
    usage: () => Promise.all(children.map(usageOf)),
    close,
  };
}

function launch(logLevel: string): ChildProcess {
  const env = { ...process.env, AILO_LOG_LEVEL: logLevel };
  return fork(SCRIPT, { execArgv: ['--import', 'tsx'], env, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
}

function tell(child: ChildProcess, message: ToProcess): void {
  if (child.connected) child.send(message);
}

async function usageOf(child: ChildProcess): Promise<Usage> {
  const usage = answer(child, 'usage');
  tell(child, { kind: 'usage' });
  const { cpuMs, rssBytes } = await usage;
  return { cpuMs, rssBytes };
}

/** Of `total` things dealt out to `parts`, those of part `index`. */
function share(total: number, parts: number, index: number): number {
  return Math.floor((total * (index + 1)) / parts) - Math.floor((total * index) / parts);
}

function isRunning({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}

function answer<K extends FromProcess['kind']>(child: ChildProcess, kind: K): Promise<FromProcess & { kind: K }> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => settle(() => reject(failed('it does not answer'))), PROCESS_TIMEOUT_MS);
    const onMessage = (message: FromProcess) => {
      if (message.kind === kind) settle(() => resolve(message as FromProcess & { kind: K }));
    };
    const onExit = (code: number | null) => settle(() => reject(failed(`it ended with ${code}`)));
    const settle = (then: () => void) => {
      clearTimeout(timer);
      child.off('message', onMessage).off('exit', onExit);
      then();
    };
    child.on('message', onMessage).on('exit', onExit);
  });
}

function failed(reason: string): AiloError {
  return AiloError.of('SIMULATION_FAILED', { reason: `a process of node programs: ${reason}` });
}
