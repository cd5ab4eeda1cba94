/** What the HTTP server's tests share: the server before a real ledger, asked without a socket. */
import { bytesToHex } from '@noble/hashes/utils.js';
import type { FastifyInstance, LightMyRequestResponse as Response } from 'fastify';
import { pino } from 'pino';
import type { Genesis } from '../../shared/ledger/genesis.ts';
import { networkOf } from '../../shared/ledger/network.ts';
import { paths, type Submission } from '../../shared/protocol/http.ts';
import type { Schedule } from '../../shared/protocol/schedule.ts';
import { openLedger } from '../ledger/ledger.ts';
import { genesis as defaultOfTests, networkKey, START_MS } from '../ledger/testing.ts';
import type { Ledger } from '../ledger/types.ts';
import { openDatabase } from '../store/database.ts';
import { createHttp } from './app.ts';

export interface TestServer {
  app: FastifyInstance;
  ledger: Ledger;
  /** Unix time; also the rate limits' clock. */
  nowMs: number;
  /** Addresses of the nodes that count as present. */
  present: string[];
  /** Runs the timers that are due at `nowMs`. */
  elapse(): void;
  get(url: string, headers?: Record<string, string>): Promise<Response>;
  submit(kind: Submission['kind'], signed: Uint8Array): Promise<Response>;
  close(): Promise<void>;
}

/** Answers as the server would over a socket. */
export function fetchOf({ app }: Pick<TestServer, 'app'>): typeof fetch {
  return async (input, init) => {
    const { pathname, search } = new URL(String(input));
    const answer = await app.inject({
      method: init?.method === 'POST' ? 'POST' : 'GET',
      url: pathname + search,
      ...(init?.body && { payload: String(init.body), headers: { 'content-type': 'application/json' } }),
    });
    return new Response(answer.rawPayload as Uint8Array<ArrayBuffer>, { status: answer.statusCode });
  };
}

export async function openTestServer(genesis: Genesis = defaultOfTests): Promise<TestServer> {
  const world = { nowMs: START_MS, present: [] as string[] };
  const timers = new Set<{ run: () => void; atMs: number }>();
  const schedule: Schedule = (run, delayMs) => {
    const timer = { run, atMs: world.nowMs + delayMs };
    timers.add(timer);
    return () => timers.delete(timer);
  };
  const database = await openDatabase(':memory:');
  const now = () => world.nowMs;
  const presentNodes = () => world.present;
  const ledger = await openLedger({ database, networkKey, genesis, now, presentNodes, schedule });
  const app = await createHttp({
    ledger,
    genesis,
    networkId: bytesToHex(networkOf(genesis).id),
    models: new Map(),
    now,
    log: pino({ level: 'silent' }),
  });
  return Object.assign(world, {
    app,
    ledger,
    elapse() {
      for (const timer of [...timers].filter(({ atMs }) => atMs <= world.nowMs)) {
        timers.delete(timer);
        timer.run();
      }
    },
    get: (url: string, headers: Record<string, string> = {}) => app.inject({ url, headers }),
    submit: (kind: Submission['kind'], signed: Uint8Array) =>
      app.inject({ method: 'POST', url: paths.submissions, payload: { kind, signed: bytesToHex(signed) } }),
    async close() {
      await app.close();
      await ledger.close();
      await database.destroy();
    },
  });
}
