/** Starts tests/sim/ledger-server.ts and kills it without warning. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { CommitPoint } from '../../server/ledger/committer.ts';

const script = fileURLToPath(new URL('./ledger-server.ts', import.meta.url));

export interface LedgerProcess {
  url: string;
  /** When it is dead, whoever killed it. */
  died: Promise<unknown>;
  /** SIGKILL: nothing can be put in order first. */
  kill(): Promise<void>;
}

/**
 * Resolves when it answers.
 *
 * @param dieAt where in one of its commits it kills itself
 */
export async function startLedger(
  folder: string,
  addresses: readonly string[],
  dieAt?: CommitPoint,
): Promise<LedgerProcess> {
  const child = spawn(process.execPath, ['--import', 'tsx', script, folder, ...addresses], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...(dieAt && { AILO_DIE_AT: dieAt }) },
  });
  const died = once(child, 'exit');
  const [line] = await Promise.race([once(createInterface(child.stdout), 'line'), failed(child)]);
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

async function failed(child: ChildProcess): Promise<never> {
  const [code] = await once(child, 'exit');
  throw new Error(`the ledger ended with ${code} before it listened`);
}
