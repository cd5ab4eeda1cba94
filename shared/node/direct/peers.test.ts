import { describe, expect, it } from 'vitest';
import type { Signal } from '../../protocol/messages.ts';
import type { Schedule } from '../../protocol/schedule.ts';
import type { LinkStatus } from '../types.ts';
import { CONNECT_TIMEOUT_MS, MAX_PEERS, PEER_IDLE_MS, RETRY_FIRST_MS, STALL_MS } from './limits.ts';
import { encodePeerMessage, type PeerMessage } from './peer-messages.ts';
import { createPeers, type Peers } from './peers.ts';
import { memoryLinks } from './testing.ts';
import type { ConnectionOptions } from './transport.ts';

const job = '11'.repeat(16);

/** Nodes `a` and `b`; what they signal to each other arrives with `run`, and time passes with `pass`. */
function setUp({ blocked = false } = {}) {
  const links = memoryLinks();
  let nowMs = 0;
  const timers = new Set<{ dueMs: number; run(): void }>();
  const schedule: Schedule = (run, delayMs) => {
    const timer = { dueMs: nowMs + delayMs, run };
    timers.add(timer);
    return () => timers.delete(timer);
  };
  const signals: { from: string; to: string; signal: Signal }[] = [];
  const connections: ConnectionOptions[] = [];
  const create = (address: string) => {
    const seen: { called: string[]; opened: string[]; lost: string[]; messages: PeerMessage[]; status: LinkStatus[] } =
      {
        ...{ called: [], opened: [], lost: [], messages: [], status: [] },
      };
    const peers = createPeers({
      transport: {
        connect(options) {
          connections.push(options);
          if (blocked) throw new Error('there are too many connections');
          return links.transport(address).connect(options);
        },
      },
      ...{ address, schedule, now: () => nowMs, log: { debug() {}, info() {}, warn() {} } },
      signal: (to, signal) => void signals.push({ from: address, to, signal }),
      onCalled: (peer) => void seen.called.push(peer),
      onOpened: (peer) => void seen.opened.push(peer),
      onMessage: (_, message) => void seen.messages.push(message),
      onChanged: () => {},
      onLost: (peer) => void seen.lost.push(peer),
      onStatus(status) {
        seen.status = status;
      },
    });
    return { peers, seen };
  };
  const [a, b] = [create('a'), create('b')];
  const nodes: Record<string, Peers> = { a: a.peers, b: b.peers };
  function run() {
    for (let i = 0; i < 1000; i++) {
      const signal = signals.shift();
      if (signal) nodes[signal.to]?.signalled(signal.from, signal.signal);
      const [deliver] = links.deliveries(() => true);
      deliver?.();
      if (!signal && !deliver) return;
    }
  }
  function pass(ms: number, delivered = true) {
    const endMs = nowMs + ms;
    for (;;) {
      const [next] = [...timers].filter(({ dueMs }) => dueMs <= endMs).sort((x, y) => x.dueMs - y.dueMs);
      if (!next) break;
      timers.delete(next);
      nowMs = next.dueMs;
      next.run();
      if (delivered) run();
    }
    nowMs = endMs;
  }
  function link() {
    a.peers.want('jobs', new Set(['b']));
    b.peers.want('jobs', new Set(['a']));
    run();
  }
  return { a, b, links, connections, signals, timers, run, pass, link };
}

describe('direct links', () => {
  it('come about between peers that want each other, by an offer of the smaller address', () => {
    const { a, b, connections, link } = setUp();
    expect(a.peers.state('b')).toEqual({ preferred: false, writable: false });
    link();
    expect(connections.map(({ initiates }) => initiates)).toEqual([true, false]);
    expect([a.seen.opened, b.seen.opened]).toEqual([['b'], ['a']]);
    expect(a.peers.state('b')).toEqual({ preferred: true, writable: true });
    a.peers.send('b', 'has', { job, epoch: 1, rows: 2 });
    expect(a.seen.status).toEqual([{ node: 'b', way: 'direct', roundTripMs: 0 }]);
  });

  it('are one for all jobs, and stay a while for the next', () => {
    const { a, b, connections, timers, link, pass } = setUp();
    link();
    for (let i = 0; i < 3; i++) {
      a.peers.want('jobs', new Set());
      b.peers.want('jobs', new Set());
      pass(PEER_IDLE_MS / 2);
      link();
    }
    expect(connections).toHaveLength(2);
    a.peers.want('jobs', new Set());
    b.peers.want('jobs', new Set());
    pass(2 * PEER_IDLE_MS);
    expect(a.peers.isOpen('b')).toBe(false);
    expect(timers.size, 'nothing is left to do').toBe(0);
  });

  it('that break are told and made anew, later each time they fail', () => {
    const { a, b, links, connections, link, run, pass } = setUp();
    link();
    links.disturb(0, 'breaks', [0, 0]);
    run();
    expect([a.seen.lost, b.seen.lost]).toEqual([['b'], ['a']]);
    expect(a.seen.status).toMatchObject([{ node: 'b', way: 'relayed' }]);
    pass(RETRY_FIRST_MS);
    expect(connections).toHaveLength(4);
    expect([a.peers.isOpen('b'), b.peers.isOpen('a')]).toEqual([true, true]);
  });

  it('that stall are given up by themselves', () => {
    const { a, b, links, link, pass } = setUp();
    link();
    links.disturb(0, 'stalls', [0, 0]);
    pass(2 * STALL_MS, false);
    expect([a.seen.lost, b.seen.lost]).toEqual([['b'], ['a']]);
  });

  it('that cannot be are tried ever more seldom', () => {
    const { connections, link, pass } = setUp({ blocked: true });
    link();
    pass(10 * 60_000);
    const tries = connections.length;
    expect(tries).toBeLessThan(20);
    pass(10 * 60_000);
    expect(connections.length - tries, 'about once a minute').toBeLessThanOrEqual(11);
  });

  it('whose offer nobody answers are given up in time', () => {
    const { a, signals, connections, pass } = setUp();
    a.peers.want('jobs', new Set(['c']));
    pass(CONNECT_TIMEOUT_MS + RETRY_FIRST_MS);
    expect(connections).toHaveLength(2);
    expect(signals.every(({ to }) => to === 'c')).toBe(true);
  });

  it('end with a peer that says what it must not', () => {
    const { a, b, connections, link, run } = setUp();
    link();
    connections[0]!.onMessage(Uint8Array.of(1, 2, 3));
    run();
    expect(a.peers.isOpen('b') || b.peers.isOpen('a')).toBe(false);
    connections[0]!.onMessage(encodePeerMessage('has', { job, epoch: 0, rows: 1 }));
    expect(a.seen.messages, 'what the dead one still says is not heard').toEqual([]);
  });

  it('are not made for an offer of a stranger, nor for more peers than there may be', () => {
    const { a, connections } = setUp();
    a.peers.signalled('Z', { kind: 'offer', attempt: 1, sdp: 'x' });
    expect(connections).toEqual([]);
    a.peers.want('jobs', new Set(Array.from({ length: 2 * MAX_PEERS }, (_, i) => `b${i}`)));
    expect(connections).toHaveLength(MAX_PEERS);
  });
});
