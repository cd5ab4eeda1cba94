/**
 * Gives chunks to nodes that load the stage which is held here, one at a time to each, as fast as its link takes them, and
 * each chunk once: who wants more of our uplink than a load needs does not get it.
 */
import type { ChunkStore } from '../../model/types.ts';
import type { FromPeer } from '../direct/peer-messages.ts';
import type { DirectPort } from '../direct/port.ts';
import { MAX_ASKED, PART_BYTES } from './limits.ts';

export interface LenderOptions {
  chunks: Pick<ChunkStore, 'get'>;
  direct: Pick<DirectPort, 'state' | 'send'>;
}

export interface Lender {
  ask(peer: string, wanted: FromPeer['ask']): void;
  /** Its link can take more. */
  changed(peer: string): void;
  forget(peer: string): void;
}

interface Queue {
  asked: FromPeer['ask'][];
  isGiving: boolean;
  /** Hashes of the chunks that it has got. */
  given: Set<string>;
  resume(): void;
}

export function createLender({ chunks, direct }: LenderOptions): Lender {
  const queues = new Map<string, Queue>();

  /** Never rejects. */
  async function give(peer: string, queue: Queue) {
    if (queue.isGiving) return;
    queue.isGiving = true;
    const isOver = () => queues.get(peer) !== queue;
    for (let next = queue.asked[0]; next; next = queue.asked[0]) {
      const bytes = queue.given.has(next.hash) ? undefined : await chunks.get(next.hash).catch(() => undefined);
      if (isOver()) return;
      if (!bytes) direct.send(peer, 'none', { id: next.id });
      for (let at = 0; bytes && at < bytes.length; at += PART_BYTES) {
        while (!direct.state(peer).writable) {
          await new Promise<void>((resolve) => {
            queue.resume = resolve;
          });
          if (isOver()) return;
        }
        direct.send(peer, 'part', { id: next.id, at, data: bytes.slice(at, at + PART_BYTES) });
      }
      if (bytes) queue.given.add(next.hash);
      queue.asked.shift();
    }
    queue.isGiving = false;
  }

  return {
    ask(peer, wanted) {
      const queue = queues.get(peer) ?? { asked: [], isGiving: false, given: new Set(), resume: () => {} };
      queues.set(peer, queue);
      if (queue.asked.length >= MAX_ASKED) return direct.send(peer, 'none', { id: wanted.id });
      queue.asked.push(wanted);
      void give(peer, queue);
    },
    changed: (peer) => queues.get(peer)?.resume(),
    forget(peer) {
      const queue = queues.get(peer);
      queues.delete(peer);
      queue?.resume();
    },
  };
}
