/**
 * What a stage can be held to of a job: digests of the rows that came in and went out, and the rows themselves that went
 * out. The last stage sends tokens; in the place of rows it keeps sketches of the logits that it chose them from.
 */
import { bytesToHex } from '@noble/hashes/utils.js';
import type { FromCoordinator, FromNode } from '../protocol/messages.ts';
import { payloadBytes, splitRows } from '../tensor/payload.ts';
import { RowsDigest } from '../tensor/rows-digest.ts';
import { SKETCH_COLUMNS, sketch } from '../tensor/sketch.ts';
import { type HiddenJournal, hiddenJournal, type Journal } from './journal.ts';
import { createLink, type Link } from './link.ts';
import type { StageShape } from './step.ts';

export interface EvidenceOptions {
  open: Pick<FromCoordinator['jobOpen'], 'job' | 'wire' | 'promptTokens' | 'sample'>;
  shape: StageShape;
  /** Of the rows that went out, where they are hidden states. */
  hidden: HiddenJournal;
  /** Rows that one frame may have. */
  maxRows: number;
  send<T extends 'commitment' | 'evidence'>(type: T, body: FromNode[T]): void;
}

export interface Evidence {
  /** A frame of `rows` rows from `position` on came in, the first `skip` of which are here already. */
  received(frame: Uint8Array, position: number, rows: number, skip: number): void;
  /** A token is being chosen from these logits, the next after those that another stage had chosen before. */
  answering(logits: Float32Array): void;
  audit(body: FromCoordinator['audit']): void;
  show(body: FromCoordinator['show']): void;
  /** What was shown for this check so far was read. */
  more(check: string): void;
}

export function createEvidence({ open, shape, hidden, maxRows, send }: EvidenceOptions): Evidence {
  const inBytes = shape.takes === 'tokens' ? 4 : payloadBytes(1, shape.inWidth, open.wire);
  const came = new RowsDigest(inBytes);
  const answered = open.sample?.answered.length ?? 0;
  const sketches = hiddenJournal(SKETCH_COLUMNS, 'f32', open.sample?.maxNewTokens ?? 0);
  const isLast = shape.gives === 'logits';
  const outBytes = isLast ? 4 * SKETCH_COLUMNS : payloadBytes(1, shape.outWidth, open.wire);
  const went: Journal & Pick<HiddenJournal, 'payload'> = isLast ? from(sketches, answered) : hidden;
  const shown = new Map<string, Link>();

  return {
    received(frame, position, rows, skip) {
      const payload = frame.subarray(Math.max(0, frame.length - rows * inBytes));
      const each = shape.takes === 'tokens' ? payload : splitRows(payload, rows, open.wire);
      came.put(position + skip, each.subarray(skip * inBytes));
    },
    answering(logits) {
      sketches.append(sketch(logits), 1);
    },
    audit({ job, rows, receivedFrom, sentFrom }) {
      const end = Math.min(went.end, isLast ? rows - open.promptTokens + 1 : rows);
      const sent = new RowsDigest(outBytes, sentFrom);
      if (sentFrom < end) sent.put(sentFrom, went.payload(sentFrom, end));
      const [received, sentDigest] = [came.digest(receivedFrom, rows), sent.digest(sentFrom, end)];
      send('commitment', { job, received: bytesToHex(received), sent: bytesToHex(sentDigest), rows: end });
    },
    show({ check, from: has, rows }) {
      const journal = { end: Math.min(went.end, rows), frame: went.frame };
      const to = { job: check, next: '', epoch: 0, has, promptTokens: open.promptTokens };
      const link = createLink({
        open: to,
        journal,
        maxRows,
        direct: () => ({ preferred: false, writable: false }),
        send: ({ data, more }) => send('evidence', { check, data, ...(more && { more }) }),
      });
      shown.set(check, link);
      link.push();
    },
    more: (check) => shown.get(check)?.more(),
  };
}

/** The journal with its first row at position `start`. */
function from(journal: HiddenJournal, start: number): Journal & Pick<HiddenJournal, 'payload'> {
  return {
    get end() {
      return start + journal.end;
    },
    frame: (head, rows) => journal.frame({ ...head, position: head.position - start }, rows),
    payload: (first, end) => journal.payload(first - start, end - start),
  };
}
