/**
 * A coordinator's ledger and HTTP API without models, as a process that can be killed: `tsx ledger-server.ts FOLDER
 * ADDRESS…` keeps its network in the folder, pays each address once, and says on stdout where it listens. With
 * AILO_DIE_AT=POINT it kills itself (SIGKILL) when its third commit gets to that point.
 */
import { join } from 'node:path';
import { bytesToHex } from '@noble/hashes/utils.js';
import { pino } from 'pino';
import { openNetwork } from '../../server/coordinator/network.ts';
import { createHttp } from '../../server/http/app.ts';
import { openLedger } from '../../server/ledger/ledger.ts';
import { openDatabase } from '../../server/store/database.ts';
import { networkOf } from '../../shared/ledger/network.ts';
import { REWARD_MICRO_ALC } from './ledger-load.ts';

const [folder, ...addresses] = process.argv.slice(2) as [string, ...string[]];
const { networkKey, genesis } = await openNetwork(folder, { inference: { rewardMicroAlc: String(REWARD_MICRO_ALC) } });
const database = await openDatabase(join(folder, 'ailo.sqlite'));
const COMMITS_BEFORE_DEATH = 2;
let commits = 0;
const ledger = await openLedger({
  database,
  networkKey,
  genesis,
  now: () => Date.now(),
  stall(point) {
    if (point === 'begun') commits++;
    if (point === process.env.AILO_DIE_AT && commits > COMMITS_BEFORE_DEATH) process.kill(process.pid, 'SIGKILL');
  },
});
const [requester, ...paid] = addresses as [string, ...string[]];
await ledger.mintInference({
  job: '0'.repeat(32),
  model: 'none',
  requester,
  participants: paid.map((address, i) => ({ address, start: i, end: i + 1 })),
  tokens: 100,
  latencyMs: 10_000,
  finish: 'stop',
  timeMs: genesis.timeMs,
});
const app = await createHttp({
  ledger,
  genesis,
  networkId: bytesToHex(networkOf(genesis).id),
  models: new Map(),
  now: () => performance.now(),
  log: pino({ level: 'warn' }, pino.destination(2)),
});
const url = await app.listen({ host: '127.0.0.1', port: 0 });
process.stdout.write(`${JSON.stringify({ url })}\n`);
