/**
 * The door: Socket.IO over WebSocket. A socket must answer the challenge with a wallet's signature before anything
 * else; from then on it carries the wallet's session (sessions.ts), which outlives sockets.
 */
import { randomBytes } from 'node:crypto';
import type { Server as HttpServer } from 'node:http';
import { normalizeIP } from '@fastify/rate-limit';
import type { Logger } from 'pino';
import { type Socket, Server as SocketServer } from 'socket.io';
import * as v from 'valibot';
import { AiloError, toAiloError } from '../../shared/errors/index.ts';
import { AUTHENTICATE_TIMEOUT_MS, MAX_MESSAGE_BYTES, PROTOCOL_VERSION } from '../../shared/protocol/limits.ts';
import { Authenticate, type Authenticated, type Challenge } from '../../shared/protocol/messages.ts';
import type { Schedule } from '../../shared/protocol/schedule.ts';
import { verifyAuthentication } from '../../shared/wallet/authentication.ts';
import { CONNECTIONS_PER_ADDRESS, MAX_BUCKETS, MAX_SOCKETS, MAX_SOCKETS_PER_ADDRESS } from './limits.ts';
import { RateLimiter } from './rate-limit.ts';
import { createSessions, type SessionHandlers, type Sessions } from './sessions.ts';

export interface GatewayOptions {
  httpServer: HttpServer;
  /** SHA-256 of the genesis file, hex. */
  networkId: string;
  /** The name that a wallet is welcomed with. */
  usernameOf(address: string): Promise<string | undefined>;
  handlers: SessionHandlers;
  schedule: Schedule;
  now(): number;
  log: Logger;
}

export interface Gateway {
  /** Queues for the node's session; a node without one is past caring. */
  send: Sessions['send'];
  /** Nodes with a session, connected or within its grace. */
  readonly sessions: number;
  close(): void;
}

export function createGateway(options: GatewayOptions): Gateway {
  const { httpServer, log, now } = options;
  const io = new SocketServer(httpServer, {
    transports: ['websocket'],
    serveClient: false,
    maxHttpBufferSize: MAX_MESSAGE_BYTES,
    connectTimeout: AUTHENTICATE_TIMEOUT_MS,
    // Connections that never say anything are not sockets yet, but must be bounded too.
    allowRequest: (_request, decide) => decide(null, io.engine.clientsCount < 2 * MAX_SOCKETS),
  });
  const sessions = createSessions(options);
  const connections = new RateLimiter(CONNECTIONS_PER_ADDRESS, MAX_BUCKETS);
  const perAddress = new Map<string, number>();

  /** Who owns an IPv6 address usually owns the 2^64 around it. */
  const addressOf = (socket: Socket) => normalizeIP(socket.handshake.address, 64);

  io.use((socket, next) => {
    const address = addressOf(socket);
    const problem = admission(connections.take(address, now()), io.sockets.sockets.size, perAddress.get(address) ?? 0);
    next(problem && Object.assign(new Error(problem.message), { data: problem.toWire() }));
  });

  io.on('connection', (socket) => {
    const address = addressOf(socket);
    perAddress.set(address, (perAddress.get(address) ?? 0) + 1);
    socket.on('disconnect', () => {
      const left = (perAddress.get(address) ?? 1) - 1;
      if (left > 0) perAddress.set(address, left);
      else perAddress.delete(address);
    });
    greet(socket, sessions, options);
  });
  io.engine.on('connection_error', ({ message }: { message: string }) => log.debug({ message }, 'a connection failed'));

  return {
    send: sessions.send,
    get sessions() {
      return sessions.size;
    },
    close() {
      sessions.close();
      io.disconnectSockets(true);
      // Not io.close(): the HTTP server is somebody else's to close.
      io.engine.close();
    },
  };
}

function admission(retryAfterMs: number, sockets: number, socketsOfAddress: number): AiloError | undefined {
  if (retryAfterMs > 0) return AiloError.of('RATE_LIMITED', { retryAfterMs });
  if (sockets >= MAX_SOCKETS || socketsOfAddress >= MAX_SOCKETS_PER_ADDRESS) return AiloError.of('NETWORK_FULL', {});
  return undefined;
}

/** Challenges a new socket. It has one attempt, and little time for it. */
function greet(socket: Socket, sessions: Sessions, options: GatewayOptions): void {
  const { networkId, schedule, log } = options;
  const challenge: Challenge = { protocol: PROTOCOL_VERSION, networkId, nonce: randomBytes(32).toString('hex') };
  const cancelTimeout = schedule(() => socket.disconnect(true), AUTHENTICATE_TIMEOUT_MS);
  socket.on('disconnect', cancelTimeout);
  socket.once('authenticate', async (raw: unknown, acknowledge: unknown) => {
    cancelTimeout();
    const answer = (message: Authenticated) => void (typeof acknowledge === 'function' && acknowledge(message));
    try {
      await enter(socket, raw, challenge, answer, sessions, options);
    } catch (thrown) {
      const error = toAiloError(thrown);
      if (error.code === 'INTERNAL') log.error({ err: error.cause }, 'authentication failed unexpectedly');
      answer({ ok: false, error: error.toWire() });
      socket.disconnect(true);
    }
  });
  // The events are a closed set too: one `authenticate`, then `message`s.
  let expected: 'authenticate' | 'message' = 'authenticate';
  socket.use(([event], next) => {
    if (event !== expected) return void socket.disconnect(true);
    expected = 'message';
    next();
  });
  socket.emit('challenge', challenge);
}

async function enter(
  socket: Socket,
  raw: unknown,
  challenge: Challenge,
  answer: (message: Authenticated) => void,
  sessions: Sessions,
  { usernameOf }: GatewayOptions,
): Promise<void> {
  const parsed = v.safeParse(Authenticate, raw, { abortEarly: true });
  if (!parsed.success) {
    throw AiloError.of('MESSAGE_INVALID', { type: 'authenticate', reason: parsed.issues[0].message.slice(0, 200) });
  }
  const { protocol, resume } = parsed.output;
  if (protocol !== PROTOCOL_VERSION) {
    throw AiloError.of('PROTOCOL_UNSUPPORTED', { theirs: protocol, ours: PROTOCOL_VERSION });
  }
  const node = verifyAuthentication(challenge, parsed.output);
  const username = await usernameOf(node);
  await sessions.enter(socket, node, resume, (session) => {
    answer({ ok: true, ...session, ...(username !== undefined && { username }) });
  });
}
