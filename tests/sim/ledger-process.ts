/** Starts tests/sim/ledger-server.ts and kills it without warning. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('./ledger-server.ts', import.meta.url));

export interface LedgerProcess {
  url: string;
  /** SIGKILL: nothing can be put in order first. */
  kill(): Promise<void>;
}

/** Resolves when it answers. */
export async function startLedger(folder: string, addresses: readonly string[]): Promise<LedgerProcess> {
  const child = spawn(process.execPath, ['--import', 'tsx', script, folder, ...addresses], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await Promise.race([once(createInterface(child.stdout), 'line'), failed(child)]);
  const { url } = JSON.parse(line as string) as { url: string };
  return {
    url,
    async kill() {
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
    },
  };
}

async function failed(child: ChildProcess): Promise<never> {
  const [code] = await once(child, 'exit');
  throw new Error(`the ledger ended with ${code} before it listened`);
}
