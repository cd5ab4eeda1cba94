/**
 * The node's side of a session with the coordinator: connects, authenticates with the wallet's key, resumes the
 * session after a dropped socket, starts a new one when it was lost, and never gives up until stopped.
 */
import * as v from 'valibot';
import { AiloError, toAiloError, type WireError } from '../errors/index.ts';
import { type Channel, createChannel, type MessageOf } from '../protocol/channel.ts';
import { AUTHENTICATE_TIMEOUT_MS, SESSION_GRACE_MS } from '../protocol/limits.ts';
import {
  type Authenticate,
  type FromCoordinator,
  type FromNode,
  fromCoordinator,
  WireErrorSchema,
} from '../protocol/messages.ts';
import type { Schedule } from '../protocol/schedule.ts';
import type { Wallet } from '../wallet/wallet.ts';
import { reconnectDelayMs } from './backoff.ts';
import type { Dial, NodeSocket } from './dial.ts';
import { answerChallenge, readChallenge, readWelcome } from './handshake.ts';
import { LEAVE_TIMEOUT_MS, REFUSED_RETRY_MS } from './limits.ts';
import type { Log } from './log.ts';
import type { NodeState } from './types.ts';

export interface SessionOptions {
  url: string;
  wallet: Wallet;
  client: Authenticate['client'];
  dial: Dial;
  schedule: Schedule;
  /** Uniform in [0, 1). */
  random(): number;
  log: Log;
  onConnection(connection: NodeState['connection'], error?: WireError): void;
  /** A new session: the coordinator knows nothing of an earlier one. */
  onOpen(username: string | undefined): void;
  /** The session is gone with everything that was under way. */
  onLost(): void;
  onMessage(message: MessageOf<FromCoordinator>): void;
}

export interface Session {
  /** Whether there is a session, be it between two sockets. */
  readonly open: boolean;
  /** The network that the coordinator says it keeps; undefined before the first connection. */
  readonly networkId: string | undefined;
  start(): void;
  stop(): void;
  /** Without a session the message is dropped: `onOpen` is the time to say things anew. */
  send<T extends keyof FromNode>(type: T, body: FromNode[T]): void;
}

export function createSession(options: SessionOptions): Session {
  const { url, wallet, dial, schedule, log } = options;
  let running = false;
  let attempt = 0;
  let socket: NodeSocket | undefined;
  let networkId: string | undefined;
  let current: { id: string; channel: Channel<FromNode> } | undefined;
  let cancelRetry = () => {};
  let cancelTimeout = () => {};
  let cancelGrace: (() => void) | undefined;

  function connect() {
    options.onConnection('connecting');
    const mine = dial(url);
    socket = mine;
    // What an abandoned socket still says is not for this session.
    const whileMine =
      <A extends unknown[]>(handle: (...args: A) => void) =>
      (...args: A) => {
        if (socket === mine) handle(...args);
      };
    cancelTimeout = schedule(
      whileMine(() => dropped('the coordinator did not answer')),
      2 * AUTHENTICATE_TIMEOUT_MS,
    );
    mine.on('challenge', whileMine(authenticate));
    mine.on('probe', (answer: unknown) => void (typeof answer === 'function' && answer()));
    const onMessage = (envelope: unknown) => current?.channel.receive(envelope);
    mine.on('message', whileMine(onMessage));
    mine.on(
      'connect_error',
      whileMine((error: Error & { data?: unknown }) => {
        // The coordinator's reason for not letting the socket in; without one it was not reached.
        const reason = v.safeParse(WireErrorSchema, error.data);
        dropped(error.message, reason.success ? AiloError.fromWire(reason.output) : undefined);
      }),
    );
    mine.on(
      'disconnect',
      whileMine((reason: string) => dropped(reason)),
    );
  }

  function authenticate(raw: unknown) {
    const mine = socket!;
    const message = attempted(() => {
      const challenge = readChallenge(raw);
      ({ networkId } = challenge);
      return answerChallenge(challenge, wallet, current, options);
    });
    // A callback, not a promise: the channel must stand before the next packet is handled.
    if (message) mine.emit('authenticate', message, (answer: unknown) => void (socket === mine && welcomed(answer)));
  }

  function welcomed(raw: unknown) {
    const welcome = attempted(() => readWelcome(raw, current));
    if (!welcome) return;
    if (welcome.kind === 'refused') return refused(welcome.error);
    if (welcome.kind !== 'resumed') lose();
    if (welcome.kind === 'lost') return dropped('the session was lost');
    cancelTimeout();
    endGrace();
    attempt = 0;
    if (welcome.kind === 'opened') current = { id: welcome.session, channel: newChannel() };
    const mine = socket!;
    current!.channel.attach({ send: (envelope) => void mine.emit('message', envelope) }, welcome.received);
    if (welcome.kind === 'opened') options.onOpen(welcome.username);
    options.onConnection('connected');
  }

  /** What the coordinator said badly costs the socket, what we cannot speak is a refusal. */
  function attempted<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (thrown) {
      const error = toAiloError(thrown);
      if (error.code === 'PROTOCOL_UNSUPPORTED') refused(error.toWire());
      else dropped(error.message);
      return undefined;
    }
  }

  function newChannel(): Channel<FromNode> {
    return createChannel<FromCoordinator, FromNode>({
      accepts: fromCoordinator,
      onMessage: options.onMessage,
      onFault(fault) {
        log.warn({ code: fault.error.code, costs: fault.costs, cause: fault.error.cause }, fault.error.message);
        if (fault.costs === 'session') lose();
        if (fault.costs !== 'message') dropped(fault.error.message);
      },
      schedule,
    });
  }

  function closeSocket() {
    const old = socket;
    socket = undefined;
    cancelTimeout();
    old?.disconnect();
  }

  /** The socket is gone or useless. The session lives on until its grace is over. */
  function dropped(reason: string, error?: AiloError) {
    closeSocket();
    if (!running) return;
    if (current) {
      current.channel.detach();
      cancelGrace ??= schedule(lose, SESSION_GRACE_MS);
    }
    log.info({ reason, attempt }, 'the connection dropped');
    options.onConnection('connecting', (error ?? AiloError.of('UNREACHABLE', { url })).toWire());
    cancelRetry();
    cancelRetry = schedule(connect, reconnectDelayMs(attempt++, options.random()));
  }

  function refused(error: WireError) {
    closeSocket();
    lose();
    if (!running) return;
    log.warn({ code: error.code }, error.message);
    options.onConnection('refused', error);
    cancelRetry();
    cancelRetry = schedule(connect, REFUSED_RETRY_MS);
  }

  function endGrace() {
    cancelGrace?.();
    cancelGrace = undefined;
  }

  /** Socket.IO forgets messages that a disconnect follows too closely, so the coordinator is to hang up. */
  function leave(channel: Channel<FromNode>) {
    const last = socket;
    channel.send('leave', {});
    socket = undefined;
    if (!last) return;
    const cancel = schedule(() => last.disconnect(), LEAVE_TIMEOUT_MS);
    last.on('disconnect', cancel);
  }

  function lose() {
    endGrace();
    if (!current) return;
    current.channel.close();
    current = undefined;
    options.onLost();
  }

  return {
    get open() {
      return current !== undefined;
    },
    get networkId() {
      return networkId;
    },
    start() {
      if (running) return;
      running = true;
      attempt = 0;
      connect();
    },
    stop() {
      if (!running) return;
      running = false;
      cancelRetry();
      if (current) leave(current.channel);
      closeSocket();
      lose();
      options.onConnection('stopped');
    },
    send: (type, body) => current?.channel.send(type, body),
  };
}
