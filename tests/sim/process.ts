/** Starts a script of this folder as a process and kills it without warning. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface ServerProcess {
  url: string;
  /** When it is dead, whoever killed it. */
  died: Promise<unknown>;
  /** SIGKILL: nothing can be put in order first. */
  kill(): Promise<void>;
}

/** Resolves when the script has printed its address (`{"url": …}`). */
export async function startProcess(
  script: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<ServerProcess> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', path, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  const died = once(child, 'exit');
  const [line] = await Promise.race([once(createInterface(child.stdout), 'line'), failed(child, script)]);
  const { url } = JSON.parse(line as string) as { url: string };
  return {
    url,
    died,
    async kill() {
      child.kill('SIGKILL');
      await died;
    },
  };
}

async function failed(child: ChildProcess, script: string): Promise<never> {
  const [code] = await once(child, 'exit');
  throw new Error(`${script} ended with ${code} before it listened`);
}
