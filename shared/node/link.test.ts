import { describe, expect, it } from 'vitest';
import type { FromNode } from '../protocol/messages.ts';
import { decodeFrame } from '../tensor/frame.ts';
import { tokenJournal } from './journal.ts';
import { REPLAY_WINDOW_BYTES } from './limits.ts';
import { createLink, type Way } from './link.ts';

const JOB = '3b'.repeat(16);

function setUp({ maxRows = 1, has = 0 } = {}) {
  const journal = tokenJournal(0);
  const direct = { preferred: true, writable: true };
  const sent: { rows: number[]; way: Way; to: string; epoch: number; more: boolean }[] = [];
  const send = ({ data, to, epoch, more }: FromNode['frame'], way: Way) => {
    const frame = decodeFrame(data);
    const count = frame.kind === 'tokens' ? frame.ids.length : 0;
    const rows = Array.from({ length: count }, (_, i) => frame.position + i);
    sent.push({ rows, way, to, epoch, more: more === true });
  };
  const open = { job: JOB, next: 'b', epoch: 4, has, promptTokens: 1 };
  const link = createLink({ open, journal, maxRows, direct: () => direct, send });
  const take = () => sent.splice(0).map(({ rows, way }) => `${way} ${rows}`);
  const append = (count: number) => {
    for (let i = 0; i < count; i++) {
      journal.append(1);
      link.push();
    }
  };
  return { link, journal, direct, sent, take, append };
}

describe('a link', () => {
  it('goes over the relay until its successor takes frames of this epoch directly', () => {
    const { link, take, append } = setUp();
    append(1);
    link.has({ epoch: 3, rows: 0 }, true);
    append(1);
    expect(take()).toEqual(['relay 0', 'relay 1']);
    link.has({ epoch: 4, rows: 1 }, true);
    append(1);
    expect(take(), 'what was relayed arrives by itself').toEqual(['direct 2']);
  });

  it('that breaks sends again what was not said to have arrived', () => {
    const { link, take, append } = setUp();
    link.has({ epoch: 4, rows: 0 }, true);
    append(3);
    link.has({ epoch: 4, rows: 1 }, true);
    expect(take()).toEqual(['direct 0', 'direct 1', 'direct 2']);
    link.cut();
    expect(take()).toEqual(['relay 1', 'relay 2']);
    append(1);
    link.cut();
    expect(take(), 'once').toEqual(['relay 3']);
    link.has({ epoch: 4, rows: 4 }, true);
    append(1);
    expect(take()).toEqual(['direct 4']);
  });

  it('that becomes the slower way is left without a loss, and taken up again', () => {
    const { link, direct, take, append } = setUp();
    link.has({ epoch: 4, rows: 0 }, true);
    append(1);
    direct.preferred = false;
    link.push();
    expect(take()).toEqual(['direct 0', 'relay 0']);
    direct.preferred = true;
    append(1);
    expect(take()).toEqual(['direct 1']);
  });

  it('waits while no more may be sent, and the journal is what waits', () => {
    const { link, direct, take, append } = setUp();
    link.has({ epoch: 4, rows: 0 }, true);
    direct.writable = false;
    append(3);
    expect(take()).toEqual([]);
    direct.writable = true;
    link.push();
    expect(take()).toEqual(['direct 0', 'direct 1', 'direct 2']);
  });

  it('begins anew over the relay with a replacement, which may turn out to have more', () => {
    const { link, take, append } = setUp();
    link.has({ epoch: 4, rows: 0 }, true);
    append(3);
    take();
    link.relink({ next: 'c', epoch: 5, has: 1 });
    expect(take()).toEqual(['relay 1', 'relay 2']);
    link.has({ epoch: 4, rows: 9 }, true);
    link.has({ epoch: 5, rows: 6 }, false);
    append(4);
    expect(take(), 'rows 3 to 5 are there').toEqual(['relay 6']);
  });

  it('asks its successor for `more` after a window, also where it is throttled', () => {
    const rows = REPLAY_WINDOW_BYTES / 1000;
    const { link, journal, direct, sent } = setUp({ maxRows: 250 });
    for (let i = 0; i < 400 * rows; i++) journal.append(1);
    link.has({ epoch: 4, rows: 0 }, true);
    direct.writable = false;
    link.push();
    direct.writable = true;
    link.push();
    expect(sent.at(-1)!.more).toBe(true);
    expect(sent.filter(({ more }) => more)).toHaveLength(1);
    const before = sent.length;
    link.push();
    expect(sent).toHaveLength(before);
    link.more();
    expect(sent.length).toBeGreaterThan(before);
  });
});
