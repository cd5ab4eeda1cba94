/** The program of a process of node programs; its parent tells it what to do, and ends it. */
import { pino } from 'pino';
import { type FromProcess, type StartPrograms, type ToProcess, usageNow } from './process-messages.ts';
import { createProgram, type Program } from './program.ts';

const log = pino({ level: process.env.AILO_LOG_LEVEL ?? 'warn', base: null }, pino.destination(2));
const programs = new Map<string, Program>();
const tell = (message: FromProcess) => void process.send!(message);

function start({ url, chunksDir, count, link, firstSeed }: StartPrograms): void {
  for (let i = 0; i < count; i++) {
    const program = createProgram({ url, chunksDir, link: { ...link, seed: firstSeed + i }, log });
    programs.set(program.node.state.address, program);
  }
  tell({ kind: 'started', addresses: [...programs.keys()] });
  for (const [address, { node }] of programs) {
    const unsubscribe = node.subscribe(({ activity }) => {
      if (activity.kind !== 'ready') return;
      unsubscribe();
      tell({ kind: 'loaded', address });
    });
    node.start();
    node.contribute(true);
  }
}

process.on('message', (message: ToProcess) => {
  if (message.kind === 'start') start(message);
  else if (message.kind === 'end') programs.get(message.address)?.end();
  else tell({ kind: 'usage', ...usageNow() });
});
process.once('disconnect', () => process.exit());
