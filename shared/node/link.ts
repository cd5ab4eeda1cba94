/**
 * The way from a stage to the next one of a job: what is in the journal goes out, and again to a replacement. Frames go
 * directly as soon as the successor has said that it takes them so, else through the coordinator, and change over at any
 * moment: what went directly and was not said to have arrived goes again through the coordinator.
 */
import type { FromCoordinator, FromNode } from '../protocol/messages.ts';
import { rowsOfPiece } from './batch.ts';
import type { Journal } from './journal.ts';
import { REPLAY_WINDOW_BYTES } from './limits.ts';

export type Way = 'direct' | 'relay';

export interface LinkOptions {
  open: Pick<FromCoordinator['jobOpen'], 'job' | 'next' | 'epoch' | 'has' | 'promptTokens'>;
  journal: Journal;
  /** Rows that one frame may have. */
  maxRows: number;
  /** The state of the direct link to a node: whether it is the better way, and whether more may be sent now. */
  direct(node: string): { preferred: boolean; writable: boolean };
  send(frame: FromNode['frame'], way: Way): void;
}

export interface Link {
  readonly next: string;
  /** Sends what the journal has and the successor has not, unless that must first run what it got. */
  push(): void;
  /** Goes on with another successor, or with the same that has begun anew. */
  relink(to: Pick<FromCoordinator['jobNext'], 'next' | 'epoch' | 'has'>): void;
  /** The successor has run what it got. */
  more(): void;
  /** The successor has rows of this link. `directly`: it said so over the direct link, and takes frames there. */
  has(told: { epoch: number; rows: number }, directly: boolean): void;
  /** The direct link is gone. */
  cut(): void;
}

export function createLink({ open, journal, maxRows, direct, send }: LinkOptions): Link {
  const { job, promptTokens } = open;
  let { next, epoch, has: sent } = open;
  /** Rows that the successor has, or gets without our doing: what was relayed is not lost while its session lives. */
  let safe = sent;
  let sequence = 0;
  let waiting = false;
  let burstBytes = 0;
  /** The successor takes frames of this epoch directly. */
  let granted = false;
  let way: Way = 'relay';

  function pump() {
    chooseWay();
    while (!waiting && sent < journal.end && (way === 'relay' || direct(next).writable)) {
      let rows = rowsOfPiece(journal.end - sent, maxRows);
      // A prompt's last row alone would be computed otherwise than with the row before it.
      if (rows > 2 && sent + rows === promptTokens - 1) rows--;
      // The prompt's last row and every row after it is followed by a token.
      const head = { job, sequence: sequence++, position: sent, sampleAfter: sent + rows >= promptTokens };
      const data = journal.frame(head, rows);
      sent += rows;
      if (way === 'relay') safe = sent;
      burstBytes += data.length;
      waiting = burstBytes >= REPLAY_WINDOW_BYTES && sent < journal.end;
      send({ job, to: next, epoch, data, ...(waiting && { more: true }) }, way);
    }
    if (sent >= journal.end) burstBytes = 0;
  }

  function chooseWay() {
    const wanted = granted && direct(next).preferred ? 'direct' : 'relay';
    if (wanted === way) return;
    way = wanted;
    if (way === 'relay') restart(safe);
  }

  function restart(from: number) {
    sent = from;
    waiting = false;
    burstBytes = 0;
  }

  return {
    get next() {
      return next;
    },
    push: pump,
    relink(to) {
      ({ next, epoch, has: safe } = to);
      sequence = 0;
      granted = false;
      way = 'relay';
      restart(safe);
      pump();
    },
    more() {
      waiting = false;
      burstBytes = 0;
      pump();
    },
    has(told, directly) {
      if (told.epoch !== epoch) return;
      safe = Math.max(safe, told.rows);
      sent = Math.max(sent, safe);
      granted ||= directly;
      pump();
    },
    cut() {
      granted = false;
      pump();
    },
  };
}
