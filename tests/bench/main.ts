/** `npm run bench -- NAME [--json]`: what performance claims rest on, measured on the machine at hand. */

import { type Command, runCommand } from '../../server/cli.ts';
import { AiloError, toAiloError } from '../../shared/errors/index.ts';
import { attacks } from './attacks/attacks.ts';
import { groups } from './groups/groups.ts';
import { guide } from './guide.ts';
import { honesty } from './honesty.ts';
import { ledger } from './ledger.ts';
import { memory } from './memory.ts';
import { pipeline } from './pipeline/pipeline.ts';
import { solo } from './solo.ts';
import { training } from './training.ts';
import { updates } from './updates.ts';
import { virtual } from './virtual.ts';
import { wire } from './wire.ts';

const BENCHMARKS: Record<string, { summary: string; command: Command }> = {
  attacks: { summary: 'what liars among the workers of a campaign cost it, and what they earn', command: attacks },
  groups: {
    summary: 'what masks take, and what sums of groups, with and without noise, cost a model',
    command: groups,
  },
  guide: { summary: 'how well the built-in model answers what it was never trained on', command: guide },
  honesty: { summary: 'requests until a node that cheats is caught, and what became of its answers', command: honesty },
  ledger: {
    summary: 'durable transfers a second in the coordinator, transactions a second replayed by a client',
    command: ledger,
  },
  memory: {
    summary: 'memory of headless nodes that hold the parts of a model, while they load and while they answer',
    command: memory,
  },
  pipeline: {
    summary: 'tokens a second over four node processes, one stream and eight, and what a hop between them takes',
    command: pipeline,
  },
  solo: { summary: 'one browser with a model of its own, beside Transformers.js and wllama', command: solo },
  training: {
    summary: 'a block forward and backward in a browser, beside TensorFlow.js and jax-js',
    command: training,
  },
  updates: { summary: 'bytes and seconds of a training update, and of joining eight', command: updates },
  virtual: { summary: 'a whole local step of ailo-840m in a tab, its weights and state on the disk', command: virtual },
  wire: { summary: 'what f16 and int8 activations change in answers', command: wire },
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
