/**
 * A reliable message channel over sockets that come and go: every message arrives exactly once and in order, for as
 * long as both ends keep the channel. Socket.IO's own recovery is not dependable, hence our own sequence numbers:
 * each end keeps what the other has not acknowledged and sends it again on the next socket.
 *
 * Both ends use it: the coordinator as `createChannel<FromNode, FromCoordinator>({ accepts: fromNode, … })`, the
 * node the other way round.
 */
import { AiloError, toAiloError } from '../errors/index.ts';
import { ACK_AFTER_MS, ACK_EVERY_MESSAGES, MAX_OUTBOX_BYTES, MAX_OUTBOX_MESSAGES } from './limits.ts';
import type { Envelope } from './messages.ts';
import { createOutbox } from './outbox.ts';
import { type Accepts, type MessageOf, parseEnvelope, parseMessage } from './parse.ts';
import type { Schedule } from './schedule.ts';

export type { MessageOf };

/** What a channel sends through: the current socket. */
export interface Port {
  send(envelope: Envelope): void;
}

/** What went wrong, by what it costs. */
export type Fault =
  /** One message was not understood (MESSAGE_INVALID) or its handler threw; the channel goes on. */
  | { costs: 'message'; about: string; error: AiloError }
  /** The order is broken and the channel has detached: drop the socket, the next one makes up for it. */
  | { costs: 'socket'; error: AiloError }
  /** The outbox is full (SESSION_OVERFLOW) and the channel has closed: drop the socket and the session. */
  | { costs: 'session'; error: AiloError };

export interface ChannelOptions<In> {
  /** The closed set of what may arrive. */
  accepts: Accepts<In>;
  /** Called once per valid message, in order. What it throws becomes a fault that costs the message. */
  onMessage(message: MessageOf<In>): void;
  onFault(fault: Fault): void;
  schedule: Schedule;
}

export interface Channel<Out> {
  /** Messages of the peer that have arrived, to be told when resuming. */
  readonly received: number;
  /** Whether the missing messages of a peer that has received so many are still here. */
  canAttach(peerReceived: number): boolean;
  /** Sends what the peer hasn't got, then everything new, through `port`. Throws SESSION_LOST unless `canAttach`. */
  attach(port: Port, peerReceived: number): void;
  detach(): void;
  /** Takes whatever arrived as the event `message` on the current socket. Never throws. */
  receive(envelope: unknown): void;
  /** Queues and, when attached, sends at once. `body` is kept until acknowledged: don't change it afterwards. */
  send<T extends keyof Out & string>(type: T, body: Out[T]): void;
  /** Ends the channel for good and forgets everything. */
  close(): void;
}

export function createChannel<In, Out>(options: ChannelOptions<In>): Channel<Out> {
  const { accepts, onMessage, onFault, schedule } = options;
  const outbox = createOutbox({ maxBytes: MAX_OUTBOX_BYTES, maxMessages: MAX_OUTBOX_MESSAGES });
  let port: Port | undefined;
  let closed = false;
  let received = 0;
  /** What the peer knows of `received`. */
  let acknowledged = 0;
  let cancelAck: (() => void) | undefined;

  function noteAckSent() {
    cancelAck?.();
    cancelAck = undefined;
    acknowledged = received;
  }

  function ackSoon() {
    if (!port) return;
    if (received - acknowledged >= ACK_EVERY_MESSAGES) ackNow();
    else cancelAck ??= schedule(ackNow, ACK_AFTER_MS);
  }

  function ackNow() {
    cancelAck = undefined;
    if (!port || received === acknowledged) return;
    noteAckSent();
    port.send({ seq: 0, ack: received });
  }

  function detach() {
    port = undefined;
    cancelAck?.();
    cancelAck = undefined;
  }

  function close() {
    closed = true;
    detach();
    outbox.clear();
  }

  function breakSocket(reason: string) {
    detach();
    onFault({ costs: 'socket', error: AiloError.of('MESSAGE_INVALID', { type: 'envelope', reason }) });
  }

  function deliver(type: string, body: unknown) {
    try {
      onMessage(parseMessage(accepts, type, body));
    } catch (thrown) {
      onFault({ costs: 'message', about: type.slice(0, 32), error: toAiloError(thrown) });
    }
  }

  return {
    get received() {
      return received;
    },
    canAttach: (peerReceived) => !closed && outbox.covers(peerReceived),
    attach(newPort, peerReceived) {
      if (closed || !outbox.covers(peerReceived)) throw AiloError.of('SESSION_LOST', {});
      detach();
      outbox.acknowledge(peerReceived);
      port = newPort;
      for (const message of outbox.waiting()) newPort.send({ ...message, ack: received });
      noteAckSent();
    },
    detach,
    receive(raw) {
      if (closed) return;
      let envelope: Envelope;
      try {
        envelope = parseEnvelope(raw);
      } catch (thrown) {
        return onFault({ costs: 'message', about: 'envelope', error: toAiloError(thrown) });
      }
      const { seq, ack, type, body } = envelope;
      if (ack > outbox.acknowledged && !outbox.covers(ack)) return breakSocket(`it acknowledges ${ack}, never sent`);
      outbox.acknowledge(ack);
      if (seq === 0) return;
      // Seen before: the peer could not know, so tell it.
      if (seq <= received) return ackSoon();
      if (seq !== received + 1) return breakSocket(`message ${seq} arrived where ${received + 1} was expected`);
      received = seq;
      ackSoon();
      deliver(type ?? '', body);
    },
    send(type, body) {
      if (closed) return;
      const message = outbox.add(type, body);
      if (!message) {
        close();
        onFault({ costs: 'session', error: AiloError.of('SESSION_OVERFLOW', { limitBytes: MAX_OUTBOX_BYTES }) });
        return;
      }
      if (!port) return;
      noteAckSent();
      port.send({ ...message, ack: received });
    },
    close,
  };
}
