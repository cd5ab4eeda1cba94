import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../../bytes/sha256.ts';
import { buildManifest } from '../../model/manifest.ts';
import { memorySource } from '../../model/memory-source.ts';
import { inOrder } from '../../model/sources.ts';
import { memoryChunkStore, verifiedSource } from '../../model/verified.ts';
import type { Schedule } from '../../protocol/schedule.ts';
import type { Purpose } from '../direct/peers.ts';
import { createPeers, type Peers } from '../direct/peers.ts';
import { memoryLinks } from '../direct/testing.ts';
import { BORROWER_IDLE_MS, PART_TIMEOUT_MS } from './limits.ts';
import { neighboursFirst } from './neighbours-first.ts';
import { createSharing, type Sharing } from './sharing.ts';

const CHUNK_BYTES = 2 ** 18;
const WEIGHTS = 'w.bin';
const files = {
  [WEIGHTS]: Uint8Array.from({ length: 5 * CHUNK_BYTES + 100 }, (_, i) => Math.imul(i, 0x9e37_79b1) >>> 13),
};
const manifest = await buildManifest(memorySource(files), {
  ...{ id: 'tiny', name: 'Tiny', paths: [WEIGHTS], chunkBytes: CHUNK_BYTES },
});
const hashes = manifest.files[0]!.chunks;

type Node = { peers: Peers; sharing: Sharing; store: ReturnType<typeof memoryChunkStore> };

/** `b` loads what `a` and `c` hold; signals and messages arrive with `run`. */
function setUp() {
  const links = memoryLinks();
  const nodes: Record<string, Node> = {};
  const timers = new Set<{ dueMs: number; run(): void }>();
  let nowMs = 0;
  const schedule: Schedule = (run, delayMs) => {
    const timer = { dueMs: nowMs + delayMs, run };
    timers.add(timer);
    return () => timers.delete(timer);
  };
  const wants: Record<string, string[]> = {};
  const signals: (() => void)[] = [];
  const create = (address: string) => {
    const store = memoryChunkStore();
    const peers = createPeers({
      ...{ address, transport: links.transport(address), schedule, now: () => nowMs },
      log: { debug() {}, info() {}, warn() {} },
      signal: (to, signal) => void signals.push(() => nodes[to]!.peers.signalled(address, signal)),
      onCalled: (peer) => sharing.called(peer),
      onOpened() {},
      onMessage: (peer, message) => sharing.message(peer, message),
      onChanged: (peer) => sharing.changed(peer),
      onLost: (peer) => sharing.lost(peer),
      onStatus() {},
    });
    const sharing = createSharing({
      ...{ chunks: store, direct: peers, schedule },
      want(all) {
        wants[address] = [...all];
        peers.want('chunks' satisfies Purpose, all);
      },
      call: (to) => void signals.push(() => nodes[to]!.peers.signalled(address, { kind: 'call' })),
    });
    nodes[address] = { peers, sharing, store };
    return nodes[address];
  };
  const [a, b, c] = [create('a'), create('b'), create('c')];
  async function run() {
    for (let idle = 0; idle < 20; idle++) {
      const signal = signals.shift();
      signal?.();
      const [deliver] = links.deliveries(() => true);
      deliver?.();
      if (signal || deliver) idle = 0;
      else await new Promise((resolve) => setImmediate(resolve));
    }
  }
  async function pass(ms: number) {
    nowMs += ms;
    for (const timer of [...timers].filter(({ dueMs }) => dueMs <= nowMs)) {
      timers.delete(timer);
      timer.run();
    }
    await run();
  }
  /** The file as `b` reads it, and the parts of it that it had from the coordinator. */
  function load(borrowed: ReturnType<Sharing['borrow']>) {
    const served: number[] = [];
    const rest = inOrder(
      [
        {
          async readRange(path: string, start: number, end: number) {
            served.push(start / CHUNK_BYTES);
            return memorySource(files).readRange(path, start, end);
          },
        },
      ],
      () => nowMs,
    );
    const source = verifiedSource(manifest, neighboursFirst(manifest, borrowed, rest), b.store);
    const read = source.readRange(WEIGHTS, 0, files[WEIGHTS].length);
    return { read, served };
  }
  return { a, b, c, links, wants, load, run, pass };
}

async function hold({ store }: Node) {
  for (const [chunk, hash] of hashes.entries()) {
    await store.put(hash, files[WEIGHTS].subarray(chunk * CHUNK_BYTES, (chunk + 1) * CHUNK_BYTES), manifest.id);
  }
}

describe('chunks of neighbours', () => {
  it.each([['a'], ['c']])('are loaded from %s alone, which is called whoever makes the offers', async (sharer) => {
    const { b, load, run, ...all } = setUp();
    await hold(all[sharer as 'a']);
    const borrowed = b.sharing.borrow([sharer]);
    await run();
    const { read, served } = load(borrowed);
    await run();
    expect(await sha256Hex(await read)).toBe(await sha256Hex(files[WEIGHTS]));
    expect(served).toEqual([]);
  });

  it('come from several, as many from each, once they are linked', async () => {
    const { a, b, c, load, run } = setUp();
    await hold(a);
    await hold(c);
    const borrowed = b.sharing.borrow(['a', 'c']);
    expect(borrowed.attempt(), 'no link yet').toBeUndefined();
    await run();
    const gave = { a: 0, c: 0 };
    for (const [name, { store }] of Object.entries({ a, c })) {
      const { get } = store;
      store.get = (hash) => {
        gave[name as 'a']++;
        return get(hash);
      };
    }
    const { read, served } = load(borrowed);
    await run();
    await read;
    expect(served).toEqual([]);
    expect(gave).toEqual({ a: 3, c: 3 });
  });

  it('are not taken from who does not have them, has others, or goes away', async () => {
    for (const how of ['none', 'wrong', 'gone', 'silent'] as const) {
      const { a, b, links, load, run, pass } = setUp();
      if (how !== 'none') await hold(a);
      if (how === 'wrong') for (const bytes of a.store.chunks.values()) bytes[7]!++;
      const borrowed = b.sharing.borrow(['a']);
      await run();
      const { read, served } = load(borrowed);
      if (how === 'gone') links.disturb(0, 'breaks', [0, 0]);
      if (how === 'silent') links.disturb(0, 'stalls', [0, 0]);
      await run();
      if (how === 'silent') await pass(PART_TIMEOUT_MS);
      expect(await sha256Hex(await read), how).toBe(await sha256Hex(files[WEIGHTS]));
      expect(served.length, how).toBeGreaterThan(0);
    }
  });

  it('are lent to those only who called, until they ask no more', async () => {
    const { a, b, wants, run, pass } = setUp();
    await hold(a);
    a.peers.want('jobs', new Set(['b']));
    b.peers.want('jobs', new Set(['a']));
    await run();
    b.peers.send('a', 'ask', { id: 1, hash: hashes[0]! });
    await run();
    const borrowed = b.sharing.borrow(['a']);
    await run();
    expect(wants).toEqual({ a: ['b'], b: ['a'] });
    borrowed.end();
    await pass(BORROWER_IDLE_MS);
    expect(wants).toEqual({ a: [], b: [] });
  });

  it('are lent once', async () => {
    const { a, b, load, run } = setUp();
    await hold(a);
    const borrowed = b.sharing.borrow(['a']);
    await run();
    const first = load(borrowed);
    await run();
    await first.read;
    b.store.chunks.clear();
    const second = load(borrowed);
    await run();
    expect(await sha256Hex(await second.read)).toBe(await sha256Hex(files[WEIGHTS]));
    expect([first.served.length, second.served.length]).toEqual([0, hashes.length]);
  });

  it('end with the load: what was under way is told so', async () => {
    const { a, b, load, run } = setUp();
    await hold(a);
    const borrowed = b.sharing.borrow(['a']);
    await run();
    const { read, served } = load(borrowed);
    borrowed.end();
    await run();
    await read;
    expect(served.length).toBeGreaterThan(0);
    expect(borrowed.attempt()).toBeUndefined();
  });
});
