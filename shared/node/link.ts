/** The way from a stage to the next one of a job: what is in the journal goes out once, and again to a replacement. */
import type { FromCoordinator, FromNode } from '../protocol/messages.ts';
import { rowsOfPiece } from './batch.ts';
import type { Journal } from './journal.ts';
import { REPLAY_WINDOW_BYTES } from './limits.ts';

export interface LinkOptions {
  open: Pick<FromCoordinator['jobOpen'], 'job' | 'next' | 'epoch' | 'has' | 'promptTokens'>;
  journal: Journal;
  /** Rows that one frame may have. */
  maxRows: number;
  send(frame: FromNode['frame']): void;
}

export interface Link {
  /** Sends what the journal has and the successor has not, unless that must first run what it got. */
  push(): void;
  /** Goes on with another successor, or with the same that has begun anew. */
  relink(to: Pick<FromCoordinator['jobNext'], 'next' | 'epoch' | 'has'>): void;
  /** The successor has run what it got. */
  more(): void;
}

export function createLink({ open, journal, maxRows, send }: LinkOptions): Link {
  const { job, promptTokens } = open;
  let { next, epoch, has: sent } = open;
  let sequence = 0;
  let waiting = false;

  function pump() {
    let pumpedBytes = 0;
    while (!waiting && sent < journal.end) {
      let rows = rowsOfPiece(journal.end - sent, maxRows);
      // A prompt's last row alone would be computed otherwise than with the row before it.
      if (rows > 2 && sent + rows === promptTokens - 1) rows--;
      // The prompt's last row and every row after it is followed by a token.
      const head = { job, sequence: sequence++, position: sent, sampleAfter: sent + rows >= promptTokens };
      const data = journal.frame(head, rows);
      sent += rows;
      pumpedBytes += data.length;
      waiting = pumpedBytes >= REPLAY_WINDOW_BYTES && sent < journal.end;
      send({ job, to: next, epoch, data, ...(waiting && { more: true }) });
    }
  }

  return {
    push: pump,
    relink(to) {
      ({ next, epoch, has: sent } = to);
      sequence = 0;
      waiting = false;
      pump();
    },
    more() {
      waiting = false;
      pump();
    },
  };
}
