/** What the gateway bounds, with bounds small enough to reach. */
import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { io, type Socket } from 'socket.io-client';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PROTOCOL_VERSION } from '../../shared/protocol/limits.ts';
import type { Authenticated, Challenge } from '../../shared/protocol/messages.ts';
import { systemSchedule } from '../../shared/protocol/schedule.ts';
import { signAuthentication } from '../../shared/wallet/authentication.ts';
import { Wallet } from '../../shared/wallet/wallet.ts';
import { createGateway, type Gateway } from './gateway.ts';

vi.mock('./limits.ts', async (original) => ({
  ...(await original<object>()),
  MAX_SOCKETS_PER_ADDRESS: 3,
  MAX_SESSIONS: 1,
  CONNECTIONS_PER_ADDRESS: { capacity: 5, perSecond: 1 },
}));

let server: Server;
let gateway: Gateway;
let nowMs = 0;
const sockets: Socket[] = [];

beforeEach(async () => {
  server = createServer();
  gateway = createGateway({
    httpServer: server,
    networkId: 'ab'.repeat(32),
    usernameOf: async () => undefined,
    handlers: { opened() {}, dropped() {}, resumed() {}, closed() {}, message() {} },
    schedule: systemSchedule,
    now: () => nowMs,
    log: pino({ level: 'silent' }),
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.disconnect();
  gateway.close();
  await new Promise((resolve) => server.close(resolve));
});

/** The challenge, or the code of the refusal. */
function knock(): Promise<{ socket: Socket; challenge?: Challenge; refused?: string }> {
  const { port } = server.address() as AddressInfo;
  const socket = io(`http://127.0.0.1:${port}`, { transports: ['websocket'], reconnection: false, forceNew: true });
  sockets.push(socket);
  return new Promise((resolve) => {
    socket.once('challenge', (challenge: Challenge) => resolve({ socket, challenge }));
    socket.once('connect_error', (error: Error & { data?: { code: string } }) =>
      resolve({ socket, refused: error.data?.code ?? error.message }),
    );
  });
}

test('an address has so many sockets, and gets another when one closes', async () => {
  const open = [await knock(), await knock(), await knock()];
  expect((await knock()).refused).toBe('NETWORK_FULL');
  open[0]!.socket.disconnect();
  await vi.waitFor(async () => {
    nowMs += 1000;
    expect((await knock()).challenge).toBeDefined();
  });
});

test('an address that keeps knocking is told to wait', async () => {
  for (let i = 0; i < 5; i++) (await knock()).socket.disconnect();
  expect((await knock()).refused).toBe('RATE_LIMITED');
  nowMs += 1000;
  await vi.waitFor(async () => {
    nowMs += 1000;
    expect((await knock()).challenge).toBeDefined();
  });
});

test('there are so many sessions', async () => {
  const enter = async (): Promise<Authenticated> => {
    const { socket, challenge } = await knock();
    return socket.emitWithAck('authenticate', {
      protocol: PROTOCOL_VERSION,
      ...signAuthentication(new Wallet(new Uint8Array(randomBytes(32))), challenge!),
      client: { kind: 'headless', version: '1' },
    });
  };
  expect(await enter()).toMatchObject({ ok: true });
  expect(await enter()).toMatchObject({ ok: false, error: { code: 'NETWORK_FULL' } });
});
