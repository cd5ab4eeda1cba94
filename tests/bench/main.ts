/** `npm run bench -- NAME [--json]`: what performance claims rest on, measured on the machine at hand. */

import { type Command, runCommand } from '../../server/cli.ts';
import { AiloError, toAiloError } from '../../shared/errors/index.ts';
import { ledger } from './ledger.ts';
import { solo } from './solo.ts';
import { updates } from './updates.ts';

const BENCHMARKS: Record<string, { summary: string; command: Command }> = {
  ledger: {
    summary: 'durable transfers a second in the coordinator, transactions a second replayed by a client',
    command: ledger,
  },
  solo: { summary: 'one browser with a model of its own, beside Transformers.js and wllama', command: solo },
  updates: { summary: 'bytes and seconds of a training update, and of joining eight', command: updates },
};

async function main([name, ...args]: string[]): Promise<void> {
  const benchmark = name === undefined ? undefined : BENCHMARKS[name];
  if (!benchmark) throw AiloError.of('USAGE', { reason: `npm run bench -- ${Object.keys(BENCHMARKS).join(' | ')}` });
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  await runCommand({ name: name!, ...benchmark }, args, stop.signal);
}

main(process.argv.slice(2)).catch((thrown: unknown) => {
  const error = toAiloError(thrown);
  process.stderr.write(`${error.message}\n`);
  if (error.code === 'INTERNAL') console.error(error.cause);
  process.exitCode = 1;
});
