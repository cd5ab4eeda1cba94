/**
 * The direct links of a node: one connection for each peer that its jobs could use, however many jobs. Of two peers the one
 * with the smaller address makes the offers. What fails, stalls or breaks is closed and tried again, later each time; jobs
 * use the relay meanwhile.
 */
import { toAiloError } from '../../errors/index.ts';
import type { Signal } from '../../protocol/messages.ts';
import type { Schedule } from '../../protocol/schedule.ts';
import type { Log } from '../log.ts';
import type { LinkStatus } from '../types.ts';
import {
  CONNECT_TIMEOUT_MS,
  MAX_PEERS,
  PEER_IDLE_MS,
  PING_EVERY_MS,
  PINGS_PER_RELAY_PING,
  RETRY_FIRST_MS,
  RETRY_LAST_MS,
  STALL_MS,
} from './limits.ts';
import { decodePeerMessage, encodePeerMessage, type FromPeer, type PeerMessage } from './peer-messages.ts';
import type { DirectPort } from './port.ts';
import type { DirectConnection, DirectTransport } from './transport.ts';
import { prefersDirect, type RoundTrips, smoothed } from './way.ts';

export interface PeersOptions {
  transport: DirectTransport;
  address: string;
  schedule: Schedule;
  /** Milliseconds of a steady clock. */
  now(): number;
  log: Log;
  /** By way of the coordinator. */
  signal(to: string, signal: Signal): void;
  onOpened(peer: string): void;
  onMessage(peer: string, message: PeerMessage): void;
  /** It can take more, or is another way than before. */
  onChanged(peer: string): void;
  onLost(peer: string): void;
  onStatus(links: LinkStatus[]): void;
}

export interface Peers extends DirectPort {
  /** STUN servers for connections from now on. */
  use(ice: readonly string[]): void;
  want(peers: ReadonlySet<string>): void;
  /** What a peer said by way of the coordinator. */
  signalled(peer: string, signal: Signal): void;
  closeAll(): void;
}

/** No attempt. */
const NONE = -1;

interface Peer {
  node: string;
  wanted: boolean;
  /** Names the connection in signals, so that what is late of an earlier one is known. */
  attempt: number;
  connection?: DirectConnection;
  open: boolean;
  direct: boolean;
  roundTrips: RoundTrips;
  heardMs: number;
  beats: number;
  /** When pings were sent, by their number. */
  pinged: { direct?: { n: number; ms: number }; relay?: { n: number; ms: number } };
  retryMs: number;
  /** Not tried before. */
  retryAtMs: number;
  cancelTimer(): void;
  cancelBeat(): void;
}

export function createPeers(options: PeersOptions): Peers {
  const { transport, address, schedule, now, log } = options;
  const peers = new Map<string, Peer>();
  let ice: readonly string[] = [];
  let attempts = 0;

  function peerOf(node: string): Peer | undefined {
    const known = peers.get(node);
    if (known) return known;
    if (peers.size >= MAX_PEERS) {
      const idle = [...peers.values()].find(({ wanted }) => !wanted);
      if (!idle) return undefined;
      forget(idle);
    }
    const peer: Peer = {
      ...{
        node,
        wanted: false,
        attempt: NONE,
        open: false,
        direct: false,
        roundTrips: {},
        heardMs: 0,
        beats: 0,
        pinged: {},
      },
      retryMs: RETRY_FIRST_MS,
      retryAtMs: 0,
      cancelTimer: () => {},
      cancelBeat: () => {},
    };
    peers.set(node, peer);
    return peer;
  }

  function connect(peer: Peer, initiates: boolean, attempt: number) {
    peer.attempt = attempt;
    const whileMine =
      <A extends unknown[]>(handle: (...args: A) => void) =>
      (...args: A) => {
        if (peer.attempt === attempt && peers.get(peer.node) === peer) handle(...args);
      };
    peer.cancelTimer();
    peer.cancelTimer = schedule(
      whileMine(() => fail(peer, 'it did not come about in time')),
      CONNECT_TIMEOUT_MS,
    );
    const connection = {
      initiates,
      ice,
      onDescription: whileMine((kind: 'offer' | 'answer', sdp: string) =>
        options.signal(peer.node, { kind, attempt, sdp }),
      ),
      onOpen: whileMine(() => opened(peer)),
      onMessage: whileMine((data: Uint8Array) => heard(peer, data)),
      onDrained: whileMine(() => options.onChanged(peer.node)),
      onClose: whileMine((reason: string) => fail(peer, reason)),
    };
    try {
      peer.connection = transport.connect(connection);
    } catch (thrown) {
      fail(peer, String(thrown));
    }
  }

  function opened(peer: Peer) {
    peer.cancelTimer();
    peer.open = true;
    peer.heardMs = now();
    peer.retryMs = RETRY_FIRST_MS;
    peer.pinged = {};
    peer.roundTrips = {};
    choose(peer);
    beat(peer);
    options.onOpened(peer.node);
    if (!peer.wanted) idle(peer);
  }

  function choose(peer: Peer) {
    const direct = peer.open && prefersDirect(peer.roundTrips, peer.direct);
    if (direct === peer.direct) return;
    peer.direct = direct;
    tell(peer);
    options.onChanged(peer.node);
  }

  function tell(peer: Peer) {
    const status = statusOf(peer);
    log.info({ ...status, peer: peer.node }, describeWay(status));
    show();
  }

  function show() {
    options.onStatus([...peers.values()].filter(({ wanted }) => wanted).map(statusOf));
  }

  function heard(peer: Peer, data: Uint8Array) {
    peer.heardMs = now();
    let message: PeerMessage;
    try {
      message = decodePeerMessage(data);
    } catch (thrown) {
      return fail(peer, toAiloError(thrown).message);
    }
    if (message.type === 'ping') post(peer, 'pong', message.body);
    else if (message.type === 'pong') measured(peer, 'direct', message.body.n);
    else options.onMessage(peer.node, message);
  }

  /** Measures both ways while a job may use them, and notices a peer that has fallen silent. */
  function beat(peer: Peer) {
    peer.cancelBeat();
    if (!peer.open || !peer.wanted) return;
    if (now() - peer.heardMs > STALL_MS) return fail(peer, 'it has stalled');
    const ping = { n: peer.beats, ms: now() };
    post(peer, 'ping', { n: ping.n });
    peer.pinged.direct = ping;
    if (peer.beats % PINGS_PER_RELAY_PING === 0) {
      peer.pinged.relay = ping;
      options.signal(peer.node, { kind: 'ping', n: ping.n });
    }
    peer.beats++;
    peer.cancelBeat = schedule(() => beat(peer), PING_EVERY_MS);
  }

  function measured(peer: Peer, way: 'direct' | 'relay', n: number) {
    const ping = peer.pinged[way];
    if (ping?.n !== n) return;
    delete peer.pinged[way];
    const key = `${way}Ms` as const;
    const isFirst = peer.roundTrips[key] === undefined;
    peer.roundTrips = { ...peer.roundTrips, [key]: smoothed(peer.roundTrips[key], now() - ping.ms) };
    choose(peer);
    if (isFirst && peer.open) tell(peer);
    else show();
  }

  /** Ends the connection; a wanted one is tried again by who makes the offers. */
  function fail(peer: Peer, reason: string) {
    const wasOpen = peer.open;
    disconnect(peer);
    log.info({ peer: peer.node, reason }, 'a direct link ended');
    choose(peer);
    if (wasOpen) options.onLost(peer.node);
    peer.retryAtMs = now() + peer.retryMs;
    peer.retryMs = Math.min(RETRY_LAST_MS, 2 * peer.retryMs);
    offerInTime(peer);
  }

  function offerInTime(peer: Peer) {
    if (!peer.wanted || peer.connection || !initiates(peer)) return;
    peer.cancelTimer();
    const offer = () => connect(peer, true, ++attempts);
    if (now() >= peer.retryAtMs) offer();
    else peer.cancelTimer = schedule(offer, peer.retryAtMs - now());
  }

  function disconnect(peer: Peer) {
    const { connection } = peer;
    delete peer.connection;
    peer.attempt = NONE;
    peer.open = false;
    peer.cancelTimer();
    peer.cancelBeat();
    connection?.close();
  }

  function forget(peer: Peer) {
    disconnect(peer);
    peers.delete(peer.node);
  }

  function idle(peer: Peer) {
    peer.cancelTimer();
    peer.cancelTimer = schedule(() => forget(peer), PEER_IDLE_MS);
  }

  /** The other end has begun anew, so that what is open here is not any more. */
  function answer(peer: Peer, attempt: number, sdp: string) {
    const wasOpen = peer.open;
    disconnect(peer);
    choose(peer);
    if (wasOpen) options.onLost(peer.node);
    connect(peer, false, attempt);
    peer.connection?.describe('offer', sdp);
  }

  const initiates = ({ node }: Peer) => address < node;

  function post<T extends keyof FromPeer>(peer: Peer, type: T, body: FromPeer[T]) {
    if (peer.open) peer.connection?.send(encodePeerMessage(type, body));
  }

  return {
    now,
    isOpen: (node) => peers.get(node)?.open ?? false,
    state(node) {
      const peer = peers.get(node);
      return { preferred: peer?.direct ?? false, writable: peer?.connection?.writable ?? false };
    },
    send(node, type, body) {
      const peer = peers.get(node);
      if (peer) post(peer, type, body);
    },
    use(servers) {
      ice = servers;
    },
    want(nodes) {
      for (const peer of peers.values()) {
        if (!peer.wanted || nodes.has(peer.node)) continue;
        peer.wanted = false;
        peer.cancelBeat();
        if (peer.open || !peer.connection) idle(peer);
      }
      for (const node of nodes) {
        const peer = peerOf(node);
        if (!peer || peer.wanted) continue;
        peer.wanted = true;
        offerInTime(peer);
        if (!peer.open) continue;
        peer.cancelTimer();
        peer.heardMs = now();
        beat(peer);
      }
      show();
    },
    signalled(node, signal) {
      const peer = peers.get(node);
      if (signal.kind === 'ping') return options.signal(node, { kind: 'pong', n: signal.n });
      if (!peer) return;
      if (signal.kind === 'pong') return measured(peer, 'relay', signal.n);
      if (signal.kind === 'answer' && initiates(peer) && signal.attempt === peer.attempt) {
        peer.connection?.describe('answer', signal.sdp);
      } else if (signal.kind === 'offer' && !initiates(peer)) {
        answer(peer, signal.attempt, signal.sdp);
      }
    },
    closeAll() {
      for (const peer of [...peers.values()]) forget(peer);
      options.onStatus([]);
    },
  };
}

function statusOf({ node, direct, roundTrips: { directMs, relayMs } }: Peer): LinkStatus {
  const roundTripMs = direct ? directMs : relayMs;
  return { node, way: direct ? 'direct' : 'relayed', ...(roundTripMs !== undefined && { roundTripMs }) };
}

/** As in “direct 1.2 ms”. */
export function describeWay({ way, roundTripMs }: LinkStatus): string {
  return roundTripMs === undefined ? way : `${way} ${roundTripMs.toFixed(1)} ms`;
}
