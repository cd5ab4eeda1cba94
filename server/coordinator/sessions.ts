/**
 * Sessions: one for each wallet, on a reliable channel that survives its socket for SESSION_GRACE_MS. Every message
 * is parsed and counted here before the rest of the coordinator sees it.
 */
import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import type { Socket } from 'socket.io';
import { AiloError } from '../../shared/errors/index.ts';
import { type Channel, createChannel, type Fault, type MessageOf } from '../../shared/protocol/channel.ts';
import { PROBE_TIMEOUT_MS, SESSION_GRACE_MS } from '../../shared/protocol/limits.ts';
import { type Authenticate, type FromCoordinator, type FromNode, fromNode } from '../../shared/protocol/messages.ts';
import { approximateBytes } from '../../shared/protocol/outbox.ts';
import type { Schedule } from '../../shared/protocol/schedule.ts';
import { ABUSES_PER_WALLET, BYTES_PER_WALLET, MAX_BUCKETS, MAX_SESSIONS, MESSAGES_PER_WALLET } from './limits.ts';
import { RateLimiter } from './rate-limit.ts';

export interface SessionHandlers {
  /** A new session; a resumed one is not announced again. */
  opened(node: string): void;
  /** The session has lost its socket and waits for another. */
  dropped(node: string): void;
  /** It has one again. */
  resumed(node: string): void;
  /** The session is over for good. */
  closed(node: string): void;
  /** A valid message. What it throws is told to the node as `refused`. */
  message(node: string, message: MessageOf<FromNode>): void;
}

export interface SessionsOptions {
  handlers: SessionHandlers;
  schedule: Schedule;
  now(): number;
  log: Logger;
}

export interface Sessions {
  readonly size: number;
  send<T extends keyof FromCoordinator>(node: string, type: T, body: FromCoordinator[T]): void;
  /**
   * Puts an authenticated socket on the wallet's session, or on a new one. `answer` is called before the first
   * message goes out. Throws ALREADY_CONNECTED while another socket of the wallet is alive, NETWORK_FULL.
   */
  enter(
    socket: Socket,
    node: string,
    resume: Authenticate['resume'],
    answer: (session: { session: string; received: number; resumed: boolean }) => void,
  ): Promise<void>;
  close(): void;
}

interface Session {
  id: string;
  node: string;
  channel: Channel<FromCoordinator>;
  /** Absent while the session waits for its node to come back. */
  socket?: Socket;
  cancelGrace(): void;
}

export function createSessions(options: SessionsOptions): Sessions {
  const { handlers, schedule, now, log } = options;
  const sessions = new Map<string, Session>();
  const messages = new RateLimiter(MESSAGES_PER_WALLET, MAX_BUCKETS);
  const bytes = new RateLimiter(BYTES_PER_WALLET, MAX_BUCKETS);
  const abuses = new RateLimiter(ABUSES_PER_WALLET, MAX_BUCKETS);

  function open(node: string): Session {
    if (sessions.size >= MAX_SESSIONS) throw AiloError.of('NETWORK_FULL', {});
    const channel = createChannel<FromNode, FromCoordinator>({
      accepts: fromNode,
      onMessage: (message) => (message.type === 'leave' ? end(session) : handlers.message(node, message)),
      onFault: (fault) => onFault(session, fault),
      schedule,
    });
    const session: Session = { id: randomBytes(16).toString('hex'), node, channel, cancelGrace: () => {} };
    sessions.set(node, session);
    return session;
  }

  function end(session: Session): void {
    if (sessions.get(session.node) !== session) return;
    sessions.delete(session.node);
    session.cancelGrace();
    session.channel.close();
    const { socket } = session;
    // First, or the socket's end would begin a new grace.
    delete session.socket;
    socket?.disconnect(true);
    handlers.closed(session.node);
  }

  function carry(session: Session, socket: Socket, peerReceived: number): void {
    session.cancelGrace();
    const previous = session.socket;
    session.socket = socket;
    previous?.disconnect(true);
    socket.on('message', (envelope: unknown) => {
      if (session.socket === socket && withinRate(session, envelope)) session.channel.receive(envelope);
    });
    socket.on('disconnect', () => {
      if (session.socket === socket) wait(session);
    });
    session.channel.attach({ send: (envelope) => void socket.emit('message', envelope) }, peerReceived);
  }

  /** The socket is gone; its node may come back for a while. */
  function wait(session: Session): void {
    delete session.socket;
    session.channel.detach();
    session.cancelGrace = schedule(() => end(session), SESSION_GRACE_MS);
    handlers.dropped(session.node);
  }

  function withinRate(session: Session, envelope: unknown): boolean {
    const size = approximateBytes(envelope);
    const retryAfterMs = Math.max(messages.take(session.node, now()), bytes.take(session.node, now(), size));
    if (retryAfterMs === 0) return true;
    // Dropping one message would break the order of all that follow.
    expel(session, 'message', AiloError.of('RATE_LIMITED', { retryAfterMs }));
    return false;
  }

  function expel(session: Session, about: string, error: AiloError): void {
    log.warn({ node: session.node, code: error.code }, 'a session was ended for what its node sent');
    session.channel.send('refused', { about, error: error.toWire() });
    end(session);
  }

  function onFault(session: Session, fault: Fault): void {
    if (fault.costs === 'session') end(session);
    else if (fault.costs === 'socket') dropSocket(session);
    else refuse(session, fault.about, fault.error);
  }

  function dropSocket(session: Session): void {
    const { socket } = session;
    if (!socket) return;
    wait(session);
    socket.disconnect(true);
  }

  function refuse(session: Session, about: string, error: AiloError): void {
    const ours = error.code === 'INTERNAL';
    if (ours) log.error({ err: error.cause, about }, 'handling a message failed');
    const retryAfterMs = ours ? 0 : abuses.take(session.node, now());
    if (retryAfterMs > 0) expel(session, about, AiloError.of('RATE_LIMITED', { retryAfterMs }));
    else session.channel.send('refused', { about, error: error.toWire() });
  }

  /** Whether the socket that was there first still answers. */
  function answersProbe(socket: Socket): Promise<boolean> {
    return new Promise((resolve) => {
      const cancel = schedule(() => resolve(false), PROBE_TIMEOUT_MS);
      const settle = (alive: boolean) => {
        cancel();
        resolve(alive);
      };
      socket.once('disconnect', () => settle(false));
      socket.emit('probe', () => settle(true));
    });
  }

  return {
    get size() {
      return sessions.size;
    },
    send(node, type, body) {
      sessions.get(node)?.channel.send(type, body);
    },
    async enter(socket, node, resume, answer) {
      const first = sessions.get(node);
      if (resume && first?.id === resume.session && first.channel.canAttach(resume.received)) {
        answer({ session: first.id, received: first.channel.received, resumed: true });
        carry(first, socket, resume.received);
        return handlers.resumed(node);
      }
      const probed = first?.socket;
      if (probed && (await answersProbe(probed))) throw AiloError.of('ALREADY_CONNECTED', {});
      // While we probed, this socket may have left, the first may have come back, or a third one was faster.
      if (!socket.connected) return;
      const current = sessions.get(node);
      if (current !== first || (current?.socket && current.socket !== probed)) {
        throw AiloError.of('ALREADY_CONNECTED', {});
      }
      if (current) end(current);
      const session = open(node);
      answer({ session: session.id, received: 0, resumed: false });
      carry(session, socket, 0);
      handlers.opened(node);
    },
    close() {
      for (const session of [...sessions.values()]) end(session);
    },
  };
}
