import { describe, expect, it } from 'vitest';
import { groupByDay } from './history-groups.ts';
import { transfer } from './testing.ts';

const at = (...date: [number, number, number, number]) => transfer({ timeMs: new Date(...date).getTime() });
const now = new Date(2026, 10, 25, 12).getTime();

describe('a history by days', () => {
  it('keeps the order and begins a group with each day', () => {
    const [noon, morning, eve, old] = [
      at(2026, 10, 25, 11),
      at(2026, 10, 25, 0),
      at(2026, 10, 24, 23),
      at(2025, 10, 24, 23),
    ];
    const groups = groupByDay([noon, morning, eve, old], now);
    expect(groups.map(({ transactions }) => transactions)).toEqual([[noon, morning], [eve], [old]]);
    expect(groups.slice(0, 2).map(({ day }) => day)).toEqual(['Today', 'Yesterday']);
    expect(groups[2]!.day).toContain('2025');
  });

  it('has each day once, whatever the senders’ clocks said', () => {
    const [late, early, later] = [at(2026, 10, 25, 0), at(2026, 10, 24, 23), at(2026, 10, 25, 1)];
    const groups = groupByDay([late, early, later], now);
    expect(groups.map(({ transactions }) => transactions)).toEqual([[late, later], [early]]);
  });

  it('is empty when nothing happened', () => {
    expect(groupByDay([], now)).toEqual([]);
  });
});
