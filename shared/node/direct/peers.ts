/** The direct links of a node: one for each peer that its jobs could use, however many jobs. */
import type { Signal } from '../../protocol/messages.ts';
import type { LinkStatus } from '../types.ts';
import { MAX_PEERS } from './limits.ts';
import { createPeer, type Peer, type PeerOptions } from './peer.ts';
import type { PeerMessage } from './peer-messages.ts';
import type { DirectPort } from './port.ts';

export type Purpose = 'jobs' | 'chunks';

export interface PeersOptions extends Pick<PeerOptions, 'transport' | 'schedule' | 'now' | 'log'> {
  address: string;
  /** By way of the coordinator. */
  signal(to: string, signal: Signal): void;
  /** It asks to be linked with, which `want` does. */
  onCalled(peer: string): void;
  onOpened(peer: string): void;
  onMessage(peer: string, message: PeerMessage): void;
  /** It can take more, or is another way than before. */
  onChanged(peer: string): void;
  onLost(peer: string): void;
  /** Of the peers that jobs could use now. */
  onStatus(links: LinkStatus[]): void;
}

export interface Peers extends DirectPort {
  /** STUN servers for connections from now on. */
  use(ice: readonly string[]): void;
  /** The peers to be linked with for a purpose; those of both are kept. */
  want(purpose: Purpose, peers: ReadonlySet<string>): void;
  /** What a peer said by way of the coordinator. */
  signalled(peer: string, signal: Signal): void;
  closeAll(): void;
}

export function createPeers(options: PeersOptions): Peers {
  const { transport, schedule, now, log, address } = options;
  const peers = new Map<string, Peer>();
  const wanted = new Map<Purpose, ReadonlySet<string>>();
  let ice: readonly string[] = [];
  let attempts = 0;

  function peerOf(node: string): Peer | undefined {
    const known = peers.get(node);
    if (known || !hasRoom()) return known;
    const peer = createPeer({
      ...{ node, initiates: address < node, transport, schedule, now, log },
      ice: () => ice,
      nextAttempt: () => ++attempts,
      signal: (signal) => options.signal(node, signal),
      onOpened: () => options.onOpened(node),
      onMessage: (message) => options.onMessage(node, message),
      onChanged: () => options.onChanged(node),
      onLost: () => options.onLost(node),
      onStatus: show,
    });
    peers.set(node, peer);
    return peer;
  }

  /** One that no job needs makes room. */
  function hasRoom(): boolean {
    if (peers.size < MAX_PEERS) return true;
    const idle = [...peers].find(([, { wanted }]) => !wanted);
    if (!idle) return false;
    peers.delete(idle[0]);
    idle[1].close();
    return true;
  }

  function show() {
    const forJobs = wanted.get('jobs') ?? new Set();
    options.onStatus([...peers].filter(([node]) => forJobs.has(node)).map(([, { status }]) => status));
  }

  return {
    now,
    isOpen: (node) => peers.get(node)?.open ?? false,
    state(node) {
      const { preferred = false, writable = false } = peers.get(node) ?? {};
      return { preferred, writable };
    },
    send: (node, type, body) => peers.get(node)?.post(type, body),
    use(servers) {
      ice = servers;
    },
    want(purpose, them) {
      wanted.set(purpose, them);
      const nodes = new Set([...wanted.values()].flatMap((all) => [...all]));
      for (const [node, peer] of peers) if (!nodes.has(node)) peer.want(false);
      for (const node of nodes) peerOf(node)?.want(true);
      show();
    },
    signalled(node, signal) {
      if (signal.kind === 'ping') options.signal(node, { kind: 'pong', n: signal.n });
      else if (signal.kind === 'call') options.onCalled(node);
      else peers.get(node)?.signalled(signal);
    },
    closeAll() {
      wanted.clear();
      for (const peer of peers.values()) peer.close();
      peers.clear();
      show();
    },
  };
}
