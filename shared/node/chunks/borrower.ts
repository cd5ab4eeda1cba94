/** Asks nodes that hold the stage which is being loaded here for its chunks. Nobody is believed: who reads checks hashes. */
import { throwIfCancelled } from '../../errors/cancelled.ts';
import { AiloError } from '../../errors/index.ts';
import type { Schedule } from '../../protocol/schedule.ts';
import type { FromPeer } from '../direct/peer-messages.ts';
import type { DirectPort } from '../direct/port.ts';
import { MAX_ASKED, PART_TIMEOUT_MS } from './limits.ts';

export interface BorrowerOptions {
  sharers: readonly string[];
  direct: Pick<DirectPort, 'isOpen' | 'send'>;
  schedule: Schedule;
  /** Another for each chunk. */
  nextId(): number;
}

export interface Attempt {
  /** The chunk of so many bytes. Throws MODEL_SOURCE_FAILED, CANCELLED. */
  read(hash: string, length: number, signal?: AbortSignal): Promise<Uint8Array>;
  /** What was read is wrong, or nothing was: the neighbour is not asked again. */
  failed(): void;
}

export interface Borrower {
  /** With the neighbour that has least to do; undefined where none is linked and free. */
  attempt(): Attempt | undefined;
  part(peer: string, part: FromPeer['part']): void;
  none(peer: string, none: FromPeer['none']): void;
  lost(peer: string): void;
}

interface Loan {
  peer: string;
  bytes: Uint8Array;
  /** Bytes that have arrived. */
  at: number;
  restart(): void;
  end(error?: AiloError): void;
}

export function createBorrower({ sharers, direct, schedule, nextId }: BorrowerOptions): Borrower {
  const loans = new Map<number, Loan>();
  const failed = new Set<string>();
  const askedOf = (peer: string) => [...loans.values()].filter((loan) => loan.peer === peer).length;

  function read(peer: string, hash: string, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    throwIfCancelled(signal);
    return new Promise((resolve, reject) => {
      const id = nextId();
      let cancelTimer = () => {};
      const abort = () => loan.end(AiloError.of('CANCELLED', {}));
      const loan: Loan = {
        peer,
        bytes: new Uint8Array(length),
        at: 0,
        restart() {
          cancelTimer();
          cancelTimer = schedule(() => loan.end(failure(hash, 'a neighbour stopped sending')), PART_TIMEOUT_MS);
        },
        end(error) {
          cancelTimer();
          signal?.removeEventListener('abort', abort);
          loans.delete(id);
          if (error) reject(error);
          else resolve(loan.bytes);
        },
      };
      signal?.addEventListener('abort', abort);
      loans.set(id, loan);
      loan.restart();
      direct.send(peer, 'ask', { id, hash });
    });
  }

  /** What a peer says of a loan of another, or of one that is over, is nothing. */
  const loanOf = (peer: string, id: number) => {
    const loan = loans.get(id);
    return loan?.peer === peer ? loan : undefined;
  };

  return {
    attempt() {
      const able = sharers.filter((peer) => !failed.has(peer) && direct.isOpen(peer) && askedOf(peer) < MAX_ASKED);
      const [peer] = able.sort((a, b) => askedOf(a) - askedOf(b));
      if (peer === undefined) return undefined;
      return { read: (hash, length, signal) => read(peer, hash, length, signal), failed: () => void failed.add(peer) };
    },
    part(peer, { id, at, data }) {
      const loan = loanOf(peer, id);
      if (!loan) return;
      if (at !== loan.at || at + data.length > loan.bytes.length) {
        return loan.end(failure('', 'a neighbour sent other bytes than it was asked for'));
      }
      loan.bytes.set(data, at);
      loan.at += data.length;
      if (loan.at === loan.bytes.length) loan.end();
      else loan.restart();
    },
    none: (peer, { id }) => loanOf(peer, id)?.end(failure('', 'a neighbour does not have it')),
    lost(peer) {
      for (const loan of loans.values()) if (loan.peer === peer) loan.end(failure('', 'a neighbour went away'));
    },
  };
}

function failure(path: string, reason: string): AiloError {
  return AiloError.of('MODEL_SOURCE_FAILED', { path, reason });
}
