import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type Socket } from 'socket.io';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MessageOf } from '../protocol/channel.ts';
import { type Channel, createChannel } from '../protocol/channel.ts';
import { PROTOCOL_VERSION, SESSION_GRACE_MS } from '../protocol/limits.ts';
import { type Authenticate, type FromCoordinator, type FromNode, fromNode } from '../protocol/messages.ts';
import { type Schedule, systemSchedule } from '../protocol/schedule.ts';
import { verifyAuthentication } from '../wallet/authentication.ts';
import { Wallet } from '../wallet/wallet.ts';
import { dialWebSocket } from './dial.ts';
import { createSession, type Session } from './session.ts';

/** Waits are shortened a hundredfold, in proportion. */
const quick: Schedule = (run, delayMs) => systemSchedule(run, delayMs / 100);
const wallet = new Wallet(new Uint8Array(32).fill(7));
const log = { debug() {}, info() {}, warn() {} };
const networkId = 'ab'.repeat(32);

/** A coordinator's side of the door with a real Socket.IO server: what it answers is up to the test. */
function createDoor() {
  const httpServer = createServer();
  const io = new Server(httpServer, { transports: ['websocket'] });
  const sockets: Socket[] = [];
  const seen: Authenticate[] = [];
  const messages: MessageOf<FromNode>[] = [];
  const session = { id: 'cd'.repeat(16), channel: newChannel() };

  function newChannel(): Channel<FromCoordinator> {
    return createChannel<FromNode, FromCoordinator>({
      accepts: fromNode,
      onMessage: (message) => messages.push(message),
      onFault: () => {},
      schedule: systemSchedule,
    });
  }

  const door = {
    sockets,
    seen,
    messages,
    session,
    protocol: PROTOCOL_VERSION,
    forget() {
      session.id = 'ef'.repeat(16);
      session.channel = newChannel();
    },
    answer: (message: Authenticate): object => {
      const resumed = message.resume?.session === session.id;
      return { ok: true, session: session.id, received: resumed ? session.channel.received : 0, resumed };
    },
    url: '',
    async listen(port = 0) {
      await new Promise<void>((resolve) => httpServer.listen(port, '127.0.0.1', resolve));
      door.url = `http://127.0.0.1:${(httpServer.address() as AddressInfo).port}`;
    },
    close: () => io.close(),
  };
  io.on('connection', (socket) => {
    sockets.push(socket);
    const challenge = { protocol: door.protocol, networkId, nonce: '12'.repeat(32) };
    socket.on('authenticate', (message: Authenticate, acknowledge: (answer: object) => void) => {
      seen.push(message);
      expect(verifyAuthentication(challenge, message)).toBe(wallet.address);
      const answer = door.answer(message);
      acknowledge(answer);
      if (!('session' in answer)) return;
      socket.on('message', (envelope) => session.channel.receive(envelope));
      const port = { send: (envelope: unknown) => void socket.emit('message', envelope) };
      session.channel.attach(
        port,
        message.resume && 'resumed' in answer && answer.resumed ? message.resume.received : 0,
      );
    });
    socket.emit('challenge', challenge);
  });
  return door;
}

describe('session', () => {
  let door: ReturnType<typeof createDoor>;
  let session: Session;
  let events: string[];
  let received: MessageOf<FromCoordinator>[];

  beforeEach(async () => {
    door = createDoor();
    await door.listen();
    events = [];
    received = [];
    session = createSession({
      url: door.url,
      wallet,
      client: { kind: 'headless', version: '1' },
      dial: dialWebSocket,
      schedule: quick,
      random: () => 0.5,
      log,
      onConnection: (connection, error) => events.push(error ? `${connection} ${error.code}` : connection),
      onOpen: () => events.push('open'),
      onLost: () => events.push('lost'),
      onMessage: (message) => received.push(message),
    });
  });
  afterEach(async () => {
    session.stop();
    await door.close();
  });

  it('signs the challenge, and messages flow both ways', async () => {
    session.start();
    await expect.poll(() => events).toEqual(['connecting', 'open', 'connected']);
    expect(door.seen[0]).toMatchObject({ client: { kind: 'headless' } });
    expect(door.seen[0]).not.toHaveProperty('resume');
    session.send('withdraw', {});
    door.session.channel.send('models', { models: [] });
    await expect.poll(() => door.messages).toEqual([{ type: 'withdraw', body: {} }]);
    await expect.poll(() => received).toEqual([{ type: 'models', body: { models: [] } }]);
  });

  it('resumes after a dropped socket without losing or doubling a message', async () => {
    session.start();
    await expect.poll(() => events.at(-1)).toBe('connected');
    const job = '00'.repeat(16);
    for (let index = 0; index < 50; index++) {
      session.send('token', { job, index, token: 1 });
      door.session.channel.send('jobClose', { job: index.toString(16).padStart(32, '0'), reason: 'done' });
      if (index % 20 === 10) {
        door.session.channel.detach();
        door.sockets.at(-1)!.conn.close();
        await expect
          .poll(() => events.filter((event) => event === 'connected').length)
          .toBe(2 + Math.floor(index / 20));
      }
    }
    await expect.poll(() => door.messages.length).toBe(50);
    await expect.poll(() => received.length).toBe(50);
    expect(door.messages.map(({ body }) => (body as FromNode['token']).index)).toEqual([...Array(50).keys()]);
    expect(door.seen.at(-1)?.resume?.session).toBe(door.session.id);
    expect(events.filter((event) => event === 'open')).toHaveLength(1);
    expect(events).not.toContain('lost');
  });

  it('answers the probe of a coordinator that wonders whether it is alive', async () => {
    session.start();
    await expect.poll(() => events.at(-1)).toBe('connected');
    await door.sockets[0]!.timeout(5_000).emitWithAck('probe');
  });

  it('starts a new session when the coordinator forgot the old one', async () => {
    session.start();
    await expect.poll(() => events.at(-1)).toBe('connected');
    door.forget();
    events.length = 0;
    door.sockets[0]!.conn.close();
    await expect.poll(() => events).toEqual(['connecting UNREACHABLE', 'connecting', 'lost', 'open', 'connected']);
    door.session.channel.send('models', { models: [] });
    await expect.poll(() => received).toHaveLength(1);
  });

  it('gives the session up when the coordinator stays away longer than its grace', async () => {
    session.start();
    await expect.poll(() => events.at(-1)).toBe('connected');
    await door.close();
    await expect.poll(() => events, { timeout: (3 * SESSION_GRACE_MS) / 100 }).toContain('lost');
    expect(session.open).toBe(false);
  });

  it('shows a refusal and asks again later', async () => {
    const error = { code: 'ALREADY_CONNECTED', message: 'This wallet is already connected.' };
    const welcome = door.answer;
    door.answer = () => ({ ok: false, error });
    session.start();
    await expect.poll(() => events).toEqual(['connecting', 'refused ALREADY_CONNECTED']);
    door.answer = welcome;
    await expect.poll(() => events.at(-1)).toBe('connected');
  });

  it('refuses to speak another version of the protocol', async () => {
    door.protocol = PROTOCOL_VERSION + 1;
    session.start();
    await expect.poll(() => events).toEqual(['connecting', 'refused PROTOCOL_UNSUPPORTED']);
    expect(door.seen).toEqual([]);
  });

  it('goes on after a message it does not understand, and drops the socket on a gap', async () => {
    session.start();
    await expect.poll(() => events.at(-1)).toBe('connected');
    door.sockets[0]!.emit('message', 'nonsense');
    door.sockets[0]!.emit('message', { seq: 9, ack: 0, type: 'models', body: { models: [] } });
    await expect.poll(() => events.slice(3)).toEqual(['connecting UNREACHABLE', 'connecting', 'connected']);
    door.session.channel.send('models', { models: [] });
    await expect.poll(() => received).toHaveLength(1);
  });

  it('stops for good', async () => {
    session.start();
    await expect.poll(() => events.at(-1)).toBe('connected');
    session.stop();
    expect(events.slice(-2)).toEqual(['lost', 'stopped']);
    session.send('withdraw', {});
    await expect.poll(() => door.sockets[0]!.connected).toBe(false);
    expect(door.messages).toEqual([{ type: 'leave', body: {} }]);
  });
});
