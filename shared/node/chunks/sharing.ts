/** Chunks go from node to node: whoever loads a stage calls those that hold it, and they lend. */
import type { ChunkStore } from '../../model/types.ts';
import type { Schedule } from '../../protocol/schedule.ts';
import type { PeerMessage } from '../direct/peer-messages.ts';
import type { DirectPort } from '../direct/port.ts';
import { type Borrower, createBorrower } from './borrower.ts';
import { createLender } from './lender.ts';
import { BORROWER_IDLE_MS, MAX_BORROWERS } from './limits.ts';

export interface SharingOptions {
  chunks: ChunkStore;
  direct: Pick<DirectPort, 'isOpen' | 'state' | 'send'>;
  /** All peers to be linked with for chunks. */
  want(peers: ReadonlySet<string>): void;
  /** Asks a node, by way of the coordinator, to be linked with us. */
  call(node: string): void;
  schedule: Schedule;
}

export interface Sharing {
  /** From now on until `end`; of a load before nothing more comes. */
  borrow(sharers: readonly string[]): Pick<Borrower, 'attempt'> & { end(): void };
  called(peer: string): void;
  message(peer: string, message: PeerMessage): void;
  changed(peer: string): void;
  lost(peer: string): void;
  closeAll(): void;
}

export function createSharing({ chunks, direct, want, call, schedule }: SharingOptions): Sharing {
  const lender = createLender({ chunks, direct });
  /** With what ends the wait for another question. */
  const borrowers = new Map<string, () => void>();
  let sharers: readonly string[] = [];
  let borrower: Borrower | undefined;
  let ids = 0;

  const wantAll = () => want(new Set([...sharers, ...borrowers.keys()]));

  function stay(peer: string) {
    borrowers.get(peer)?.();
    borrowers.set(
      peer,
      schedule(() => {
        forget(peer);
        wantAll();
      }, BORROWER_IDLE_MS),
    );
  }

  function forget(peer: string) {
    borrowers.get(peer)?.();
    borrowers.delete(peer);
    lender.forget(peer);
  }

  function end() {
    if (borrower) for (const sharer of sharers) borrower.lost(sharer);
    borrower = undefined;
    sharers = [];
    wantAll();
  }

  return {
    borrow(from) {
      end();
      sharers = from;
      const mine = createBorrower({ sharers, direct, schedule, nextId: () => ids++ });
      borrower = mine;
      for (const sharer of sharers) call(sharer);
      wantAll();
      const isOn = () => borrower === mine;
      return { attempt: () => (isOn() ? mine.attempt() : undefined), end: () => isOn() && end() };
    },
    called(peer) {
      if (!borrowers.has(peer) && borrowers.size >= MAX_BORROWERS) return;
      stay(peer);
      wantAll();
    },
    message(peer, { type, body }) {
      if (type === 'part') borrower?.part(peer, body);
      else if (type === 'none') borrower?.none(peer, body);
      else if (type === 'ask' && borrowers.has(peer)) {
        stay(peer);
        lender.ask(peer, body);
      }
    },
    changed: (peer) => lender.changed(peer),
    lost(peer) {
      borrower?.lost(peer);
      lender.forget(peer);
    },
    closeAll() {
      for (const peer of [...borrowers.keys()]) forget(peer);
      end();
    },
  };
}
