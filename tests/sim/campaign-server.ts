/** A coordinator with the campaigns of a folder, in a process that can be killed: `FOLDER PORT`. Prints its address. */
import { pino } from 'pino';
import { startCoordinator } from '../../server/coordinator/coordinator.ts';

const [dataDir, port] = process.argv.slice(2);
const log = pino({ level: 'warn' }, pino.destination(2));
const { url } = await startCoordinator({ dataDir: dataDir!, host: '127.0.0.1', port: Number(port), models: [], log });
console.log(JSON.stringify({ url }));
