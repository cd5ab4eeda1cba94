/**
 * The direct link to one peer. Whoever of both has the smaller address makes the offers. What fails, stalls or breaks is
 * closed and tried again, later each time; jobs use the relay meanwhile.
 */
import { toAiloError } from '../../errors/index.ts';
import type { Signal } from '../../protocol/messages.ts';
import type { Schedule } from '../../protocol/schedule.ts';
import type { Log } from '../log.ts';
import type { LinkStatus } from '../types.ts';
import { CONNECT_TIMEOUT_MS, PEER_IDLE_MS, RETRY_FIRST_MS, RETRY_LAST_MS } from './limits.ts';
import { decodePeerMessage, encodePeerMessage, type FromPeer, type PeerMessage } from './peer-messages.ts';
import { createPulse } from './pulse.ts';
import type { ConnectionOptions, Description, DirectConnection, DirectTransport } from './transport.ts';
import { prefersDirect } from './way.ts';

export interface PeerOptions {
  node: string;
  /** Whether offers are ours to make. */
  initiates: boolean;
  transport: DirectTransport;
  ice(): readonly string[];
  /** Larger than any before. */
  nextAttempt(): number;
  schedule: Schedule;
  /** Milliseconds of a steady clock. */
  now(): number;
  log: Log;
  signal(signal: Signal): void;
  onOpened(): void;
  onMessage(message: PeerMessage): void;
  /** It can take more, or is another way than before. */
  onChanged(): void;
  onLost(): void;
  onStatus(): void;
}

export interface Peer {
  readonly wanted: boolean;
  readonly open: boolean;
  /** Whether the link is open and the better way. */
  readonly preferred: boolean;
  readonly writable: boolean;
  readonly status: LinkStatus;
  /** Whether a job could use it. */
  want(on: boolean): void;
  signalled(signal: Signal): void;
  post<T extends keyof FromPeer>(type: T, body: FromPeer[T]): void;
  close(): void;
}

/** No attempt. */
const NONE = -1;

export function createPeer(options: PeerOptions): Peer {
  const { node, initiates, schedule, now, log } = options;
  let wanted = false;
  let open = false;
  let preferred = false;
  /** Names the connection in signals, so that what is late of an earlier one is known. */
  let attempt = NONE;
  let connection: DirectConnection | undefined;
  let retryMs = RETRY_FIRST_MS;
  let retryAtMs = 0;
  let cancelTimer = () => {};
  let pulse = newPulse();

  function newPulse() {
    return createPulse({
      schedule,
      now,
      ping: (way, n) => (way === 'direct' ? post('ping', { n }) : options.signal({ kind: 'ping', n })),
      onMeasured(isFirst) {
        choose();
        if (isFirst && open) tell();
        else options.onStatus();
      },
      onStalled: () => fail('it has stalled'),
    });
  }

  function later(run: () => void, delayMs: number) {
    cancelTimer();
    cancelTimer = schedule(run, delayMs);
  }

  function connect(mine: number) {
    attempt = mine;
    later(() => fail('it did not come about in time'), CONNECT_TIMEOUT_MS);
    try {
      connection = options.transport.connect(callbacks(mine));
    } catch (thrown) {
      fail(String(thrown));
    }
  }

  function callbacks(mine: number): ConnectionOptions {
    const whileMine =
      <A extends unknown[]>(handle: (...args: A) => void) =>
      (...args: A) => {
        if (attempt === mine) handle(...args);
      };
    return {
      initiates,
      ice: options.ice(),
      onDescription: whileMine((kind: Description, sdp: string) => options.signal({ kind, attempt: mine, sdp })),
      onOpen: whileMine(opened),
      onMessage: whileMine(heard),
      onDrained: whileMine(options.onChanged),
      onClose: whileMine(fail),
    };
  }

  function opened() {
    cancelTimer();
    open = true;
    retryMs = RETRY_FIRST_MS;
    pulse = newPulse();
    choose();
    if (wanted) pulse.start();
    else idle();
    options.onOpened();
  }

  function choose() {
    const before = preferred;
    preferred = open && prefersDirect(pulse.roundTrips, before);
    if (preferred === before) return;
    tell();
    options.onChanged();
  }

  function tell() {
    log.info({ peer: node }, describeWay(status()));
    options.onStatus();
  }

  function heard(data: Uint8Array) {
    pulse.heard();
    let message: PeerMessage;
    try {
      message = decodePeerMessage(data);
    } catch (thrown) {
      return fail(toAiloError(thrown).message);
    }
    if (message.type === 'ping') post('pong', message.body);
    else if (message.type === 'pong') pulse.ponged('direct', message.body.n);
    else options.onMessage(message);
  }

  function fail(reason: string) {
    log.info({ peer: node, reason }, 'a direct link ended');
    disconnect();
    retryAtMs = now() + retryMs;
    retryMs = Math.min(RETRY_LAST_MS, 2 * retryMs);
    offerInTime();
  }

  function disconnect() {
    const [wasOpen, before] = [open, connection];
    open = false;
    attempt = NONE;
    connection = undefined;
    cancelTimer();
    pulse.stop();
    before?.close();
    choose();
    if (wasOpen) options.onLost();
  }

  function offerInTime() {
    if (!wanted || connection || !initiates) return;
    const offer = () => connect(options.nextAttempt());
    if (now() >= retryAtMs) offer();
    else later(offer, retryAtMs - now());
  }

  function idle() {
    pulse.stop();
    if (connection) later(disconnect, PEER_IDLE_MS);
    else cancelTimer();
  }

  function post<T extends keyof FromPeer>(type: T, body: FromPeer[T]) {
    if (open) connection?.send(encodePeerMessage(type, body));
  }

  function status(): LinkStatus {
    const { directMs, relayMs } = pulse.roundTrips;
    const roundTripMs = preferred ? directMs : relayMs;
    return { node, way: preferred ? 'direct' : 'relayed', ...(roundTripMs !== undefined && { roundTripMs }) };
  }

  return {
    get wanted() {
      return wanted;
    },
    get open() {
      return open;
    },
    get preferred() {
      return preferred;
    },
    get writable() {
      return connection?.writable ?? false;
    },
    get status() {
      return status();
    },
    want(on) {
      if (on === wanted) return;
      wanted = on;
      if (!on) return idle();
      if (!open) return offerInTime();
      cancelTimer();
      pulse.start();
    },
    signalled(signal) {
      if (signal.kind === 'pong') pulse.ponged('relay', signal.n);
      if (signal.kind === 'answer' && initiates && signal.attempt === attempt) {
        connection?.describe('answer', signal.sdp);
      }
      if (signal.kind !== 'offer' || initiates) return;
      // The other end has begun anew, so that what is open here is not any more.
      disconnect();
      connect(signal.attempt);
      connection?.describe('offer', signal.sdp);
    },
    post,
    close: disconnect,
  };
}

/** As in “direct 1.2 ms”. */
function describeWay({ way, roundTripMs }: LinkStatus): string {
  return roundTripMs === undefined ? way : `${way} ${roundTripMs.toFixed(1)} ms`;
}
