import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { io, type Socket } from 'socket.io-client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AiloError } from '../../shared/errors/index.ts';
import { MAX_MESSAGE_BYTES, PROTOCOL_VERSION } from '../../shared/protocol/limits.ts';
import type { Authenticated, Challenge, Envelope, FromNode } from '../../shared/protocol/messages.ts';
import type { Schedule } from '../../shared/protocol/schedule.ts';
import { signAuthentication } from '../../shared/wallet/authentication.ts';
import { Wallet } from '../../shared/wallet/wallet.ts';
import { createGateway, type Gateway } from './gateway.ts';

const NETWORK_ID = 'ab'.repeat(32);
const ID = '0123456789abcdef'.repeat(2);

let gateway: Gateway;
let url: string;
let closeServer: () => Promise<void>;
let events: string[];
let received: { node: string; type: string; body: unknown }[];
let sockets: Socket[];
let names: Map<string, string>;
/** Timers of the gateway; a test lets them run by hand. */
let timers: Set<{ run: () => void; delayMs: number }>;

const schedule: Schedule = (run, delayMs) => {
  const timer = { run, delayMs };
  timers.add(timer);
  return () => timers.delete(timer);
};

function elapse(delayMs: number) {
  for (const timer of [...timers].filter((each) => each.delayMs === delayMs)) {
    timers.delete(timer);
    timer.run();
  }
}

beforeEach(async () => {
  events = [];
  received = [];
  sockets = [];
  names = new Map();
  timers = new Set();
  const server = createServer();
  gateway = createGateway({
    httpServer: server,
    networkId: NETWORK_ID,
    usernameOf: async (address) => names.get(address),
    handlers: {
      opened: (node) => events.push(`opened ${node}`),
      dropped: (node) => events.push(`dropped ${node}`),
      resumed: (node) => events.push(`resumed ${node}`),
      closed: (node) => events.push(`closed ${node}`),
      message: (node, message) => {
        if (message.type === 'withdraw') throw AiloError.of('ROOM_BUSY', { model: 'm' });
        received.push({ node, ...message });
      },
    },
    schedule,
    now: () => 0,
    log: pino({ level: 'silent' }),
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  closeServer = () => new Promise((resolve) => server.close(() => resolve()));
});

afterEach(async () => {
  for (const socket of sockets) socket.disconnect();
  gateway.close();
  await closeServer();
});

function connect(): Socket {
  const socket = io(url, { transports: ['websocket'], reconnection: false, forceNew: true });
  sockets.push(socket);
  return socket;
}

function next<T>(socket: Socket, event: string): Promise<T> {
  return new Promise((resolve) => socket.once(event, resolve));
}

const wallet = () => new Wallet(new Uint8Array(randomBytes(32)));

type Answer = { client?: object; protocol?: number; resume?: object; signature?: string };

async function enter(key: Wallet, extra: Answer = {}, socket = connect()) {
  const challenge = await next<Challenge>(socket, 'challenge');
  const message = {
    protocol: PROTOCOL_VERSION,
    ...signAuthentication(key, challenge),
    client: { kind: 'headless', version: '1' },
    ...extra,
  };
  const envelopes: Envelope[] = [];
  socket.on('message', (envelope: Envelope) => envelopes.push(envelope));
  const answer: Authenticated = await socket.emitWithAck('authenticate', message);
  return { socket, answer, envelopes, challenge, message };
}

const errorOf = ({ answer }: { answer: Authenticated }) => (answer.ok ? undefined : answer.error.code);

async function until(condition: () => boolean) {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('authentication', () => {
  test('a signed challenge opens a session', async () => {
    const key = wallet();
    names.set(key.address, 'ada');
    const { answer } = await enter(key);
    expect(answer).toMatchObject({ ok: true, received: 0, resumed: false, username: 'ada' });
    expect(events).toEqual([`opened ${key.address}`]);
    expect(gateway.sessions).toBe(1);
  });

  test('another wallet’s signature is refused', async () => {
    const signature = Buffer.from(wallet().sign(new Uint8Array(8))).toString('hex');
    const refused = await enter(wallet(), { signature });
    expect(errorOf(refused)).toBe('AUTHENTICATION_FAILED');
    await until(() => !refused.socket.connected);
    expect(events).toEqual([]);
  });

  test('an answer to another challenge is refused: what was overheard is worth nothing', async () => {
    const key = wallet();
    const { message } = await enter(key);
    const socket = connect();
    await next(socket, 'challenge');
    const answer: Authenticated = await socket.emitWithAck('authenticate', message);
    expect(errorOf({ answer })).toBe('AUTHENTICATION_FAILED');
  });

  test('a second authentication on one socket ends it', async () => {
    const { socket, message } = await enter(wallet());
    const gone = next(socket, 'disconnect');
    socket.emit('authenticate', message);
    await gone;
  });

  test.each([
    ['a missing key', { publicKey: undefined }, 'MESSAGE_INVALID'],
    ['an unknown field', { admin: true }, 'MESSAGE_INVALID'],
    ['another protocol', { protocol: PROTOCOL_VERSION + 1 }, 'PROTOCOL_UNSUPPORTED'],
    ['a username, which is the ledger’s to give', { username: 'ada' }, 'MESSAGE_INVALID'],
  ])('%s is refused with its own code', async (_, extra, code) => {
    expect(errorOf(await enter(wallet(), extra as Answer))).toBe(code);
  });

  test('a socket that says nothing, or something else first, is closed', async () => {
    const silent = connect();
    await next(silent, 'challenge');
    const closed = next(silent, 'disconnect');
    elapse(10_000);
    await closed;
    const hasty = connect();
    await next(hasty, 'challenge');
    hasty.emit('message', { seq: 1, ack: 0, type: 'withdraw', body: {} });
    await next(hasty, 'disconnect');
    expect(received).toEqual([]);
  });
});

describe('a second socket of the same wallet', () => {
  test('is refused while the first one answers', async () => {
    const key = wallet();
    const first = await enter(key);
    first.socket.on('probe', (answer: () => void) => answer());
    const second = await enter(key);
    expect(second.answer).toEqual({ ok: false, error: AiloError.of('ALREADY_CONNECTED', {}).toWire() });
    expect(first.socket.connected).toBe(true);
    expect(events).toEqual([`opened ${key.address}`]);
  });

  test('replaces the first when that one is dead', async () => {
    const key = wallet();
    const first = await enter(key);
    const probed = next(first.socket, 'probe');
    const second = enter(key);
    await probed;
    elapse(2_000);
    expect((await second).answer).toMatchObject({ ok: true, resumed: false });
    expect(events).toEqual([`opened ${key.address}`, `closed ${key.address}`, `opened ${key.address}`]);
  });

  test('with the session’s id goes on with it, without a message lost or doubled', async () => {
    const key = wallet();
    const first = await enter(key);
    const session = first.answer.ok ? first.answer.session : '';
    gateway.send(key.address, 'unassign', { assignment: ID });
    await until(() => first.envelopes.length === 1);
    first.socket.emit('message', { seq: 1, ack: 0, type: 'cancel', body: { request: ID } });
    await until(() => received.length === 1);
    first.socket.disconnect();
    await until(() => [...timers].some(({ delayMs }) => delayMs === 30_000));
    gateway.send(key.address, 'jobClose', { job: ID, reason: 'done' });
    const again = await enter(key, { resume: { session, received: 1 } });
    expect(again.answer).toMatchObject({ ok: true, session, resumed: true, received: 1 });
    await until(() => again.envelopes.length === 1);
    expect(again.envelopes[0]).toMatchObject({ seq: 2, type: 'jobClose' });
    again.socket.emit('message', { seq: 1, ack: 2, type: 'cancel', body: { request: ID } });
    again.socket.emit('message', { seq: 2, ack: 2, type: 'cancel', body: { request: ID } });
    await until(() => received.length >= 2);
    expect(received).toHaveLength(2);
    expect(events).toEqual(['opened', 'dropped', 'resumed'].map((what) => `${what} ${key.address}`));
  });

  test('is a new session when the grace is over, or the id is not its own', async () => {
    const key = wallet();
    const first = await enter(key);
    const session = first.answer.ok ? first.answer.session : '';
    const thief = await enter(wallet(), { resume: { session, received: 0 } });
    expect(thief.answer).toMatchObject({ ok: true, resumed: false });
    first.socket.disconnect();
    await until(() => [...timers].some(({ delayMs }) => delayMs === 30_000));
    elapse(30_000);
    expect(events).toContain(`closed ${key.address}`);
    expect((await enter(key, { resume: { session, received: 0 } })).answer).toMatchObject({ ok: true, resumed: false });
  });

  test('ends at once when its node leaves, and no grace keeps the process alive', async () => {
    const key = wallet();
    const { socket } = await enter(key);
    const hungUp = next(socket, 'disconnect');
    socket.emit('message', { seq: 1, ack: 0, type: 'leave', body: {} });
    await hungUp;
    expect(events).toContain(`closed ${key.address}`);
    expect([...timers]).toEqual([]);
  });
});

describe('messages', () => {
  const frame: FromNode['frame'] = { job: ID, to: `alc1${'q'.repeat(58)}`, epoch: 0, data: new Uint8Array(64).fill(7) };

  test('arrive parsed, binary as Uint8Array', async () => {
    const key = wallet();
    const { socket } = await enter(key);
    socket.emit('message', { seq: 1, ack: 0, type: 'frame', body: frame });
    await until(() => received.length === 1);
    expect(received[0]).toEqual({ node: key.address, type: 'frame', body: frame });
    expect((received[0]!.body as FromNode['frame']).data.constructor).toBe(Uint8Array);
  });

  test.each([
    ['an unknown type', 'eval', {}, 'MESSAGE_INVALID'],
    ['a type every object has', 'constructor', {}, 'MESSAGE_INVALID'],
    ['an unknown field', 'cancel', { request: ID, force: true }, 'MESSAGE_INVALID'],
    ['a frame over the limit', 'frame', { ...frame, data: new Uint8Array(240 * 1024 + 1) }, 'MESSAGE_INVALID'],
    ['text where bytes belong', 'frame', { ...frame, data: 'x'.repeat(64) }, 'MESSAGE_INVALID'],
    ['a body that is not there', 'generate', undefined, 'MESSAGE_INVALID'],
    ['a figure that is none', 'offer', { engine: 'node', budgetBytes: null, matmulGflops: 1 }, 'MESSAGE_INVALID'],
    ['what a handler refuses', 'withdraw', {}, 'ROOM_BUSY'],
  ])('%s is refused by name and the session goes on', async (_, type, body, code) => {
    const { socket, envelopes } = await enter(wallet());
    socket.emit('message', { seq: 1, ack: 0, type, body });
    await until(() => envelopes.length === 1);
    expect(envelopes[0]).toMatchObject({ type: 'refused', body: { about: type, error: { code } } });
    socket.emit('message', { seq: 2, ack: 1, type: 'cancel', body: { request: ID } });
    await until(() => received.length === 1);
  });

  test('an oversized one closes the socket, and nothing else', async () => {
    const other = await enter(wallet());
    const { socket } = await enter(wallet());
    socket.emit('message', { seq: 1, ack: 0, type: 'cancel', body: { request: 'x'.repeat(MAX_MESSAGE_BYTES) } });
    await next(socket, 'disconnect');
    expect(received).toEqual([]);
    expect(other.socket.connected).toBe(true);
    expect(gateway.sessions).toBe(2);
  });

  test('a gap in the order costs the socket, not the session', async () => {
    const { socket } = await enter(wallet());
    socket.emit('message', { seq: 5, ack: 0, type: 'cancel', body: { request: ID } });
    await next(socket, 'disconnect');
    expect(received).toEqual([]);
    expect(gateway.sessions).toBe(1);
  });

  test('who keeps breaking the rules is told so and disconnected', async () => {
    const key = wallet();
    const { socket, envelopes } = await enter(key);
    for (let seq = 1; seq <= 25; seq++) socket.emit('message', { seq, ack: 0, type: 'eval', body: {} });
    await next(socket, 'disconnect');
    expect(envelopes.at(-1)).toMatchObject({ type: 'refused', body: { error: { code: 'RATE_LIMITED' } } });
    expect(events).toEqual([`opened ${key.address}`, `closed ${key.address}`]);
    expect(gateway.sessions).toBe(0);
  });

  test('who floods is told so and disconnected', async () => {
    const key = wallet();
    const { socket, envelopes } = await enter(key);
    for (let seq = 1; seq <= 20_001; seq++) {
      socket.emit('message', { seq, ack: 0, type: 'cancel', body: { request: ID } });
    }
    await next(socket, 'disconnect');
    expect(received).toHaveLength(20_000);
    expect(envelopes.at(-1)).toMatchObject({ type: 'refused', body: { error: { code: 'RATE_LIMITED' } } });
  });

  test('unknown events close the socket', async () => {
    const { socket } = await enter(wallet());
    socket.emit('admin', {});
    await next(socket, 'disconnect');
  });
});
