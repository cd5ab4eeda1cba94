import { pino } from 'pino';
import { describe, expect, test, vi } from 'vitest';
import type { Ledger } from '../ledger/types.ts';
import { createHttp } from './app.ts';

// The real figure would take minutes to reach.
vi.mock('./limits.ts', async (original) => ({
  ...(await original<object>()),
  MAX_REQUESTS_PER_MINUTE: 3,
  PROOF_RATE: { rateLimit: { max: 1, timeWindow: 60_000 } },
}));

describe('the HTTP server', () => {
  test('tells who asks too often when to come back', async () => {
    const app = await createHttp({
      ledger: {} as Ledger,
      genesis: {} as never,
      networkId: '',
      models: new Map(),
      now: () => 0,
      log: pino({ level: 'silent' }),
    });
    const statuses: number[] = [];
    for (let i = 0; i < 4; i++) statuses.push((await app.inject('/healthz')).statusCode);
    expect(statuses).toEqual([200, 200, 200, 429]);
    const refused = await app.inject('/healthz');
    expect(refused.json()).toMatchObject({
      code: 'RATE_LIMITED',
      message: expect.stringMatching(/try again in \d+ s/),
    });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    await app.close();
  });

  test('makes fewer proofs than it answers requests', async () => {
    const app = await createHttp({
      ledger: { consistency: async () => [] } as unknown as Ledger,
      genesis: {} as never,
      networkId: '',
      models: new Map(),
      now: () => 0,
      log: pino({ level: 'silent' }),
    });
    const statuses: number[] = [];
    for (let i = 0; i < 2; i++) statuses.push((await app.inject('/v1/proofs/consistency?from=1&to=1')).statusCode);
    expect(statuses).toEqual([200, 429]);
    await app.close();
  });

  test('keeps what went wrong inside to itself', async () => {
    const logged: unknown[] = [];
    const log = pino({ level: 'error' }, { write: (line: string) => void logged.push(JSON.parse(line)) });
    const ledger = { checkpoint: () => Promise.reject(new Error('disk on fire at /secret/path')) };
    const app = await createHttp({
      ledger: ledger as unknown as Ledger,
      genesis: {} as never,
      networkId: '',
      models: new Map(),
      now: () => 0,
      log,
    });
    const answer = await app.inject('/v1/checkpoint');
    expect(answer.statusCode).toBe(500);
    expect(answer.json()).toEqual({ code: 'INTERNAL', message: expect.any(String) });
    expect(answer.body).not.toContain('secret');
    expect(JSON.stringify(logged)).toContain('disk on fire');
    await app.close();
  });
});
