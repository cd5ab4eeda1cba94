import { describe, expect, it } from 'vitest';
import { ago, alc, count, day, groupsOf, megabytes, shortAddress, size, when } from './format.ts';

describe('figures as a person reads them', () => {
  it('shows amounts without trailing zeros', () => {
    expect(alc('50000')).toBe('0.05 ALC');
    expect(alc('0')).toBe('0 ALC');
    expect(alc('-1')).toBe('-0.000001 ALC');
  });

  it('shortens addresses so that both ends can be compared', () => {
    expect(shortAddress(`alc1${'q'.repeat(50)}wxyz`)).toBe('alc1qqqqq…wxyz');
    expect(shortAddress('alc1short')).toBe('alc1short');
  });

  it('counts in words', () => {
    expect([0, 1, 1234].map((n) => count(n, 'node'))).toEqual(['0 nodes', '1 node', '1,234 nodes']);
  });

  it('shows small downloads with a decimal and large ones without', () => {
    expect([megabytes(1_176_152), megabytes(322_961_408)]).toEqual(['1.2 MB', '323 MB']);
    expect(size(1_301)).toBe('1.3 kB');
    expect([size(322_961_408), size(4_712_345_678), size(250e9)]).toEqual(['323 MB', '4.7 GB', '250 GB']);
  });

  it('says of a time only what the reader does not know', () => {
    const now = new Date(2026, 10, 24, 15, 0).getTime();
    const at = (...date: [number, number, number]) => when(new Date(...date, 9, 30).getTime(), now);
    expect(at(2026, 10, 24)).not.toMatch(/24|2026/);
    expect(at(2026, 10, 23)).toMatch(/23/);
    expect(at(2026, 10, 23)).not.toMatch(/2026/);
    expect(at(2025, 10, 23)).toMatch(/2025/);
  });

  it.each([
    [-5, 'just now'],
    [1999, 'just now'],
    [2000, '2 s ago'],
    [59_999, '59 s ago'],
    [60_000, '1 min ago'],
    [3_600_000, '1 h ago'],
    [86_400_000, '1 day ago'],
    [3 * 86_400_000, '3 days ago'],
  ])('says that %i ms is “%s”', (ms, words) => expect(ago(ms)).toBe(words));

  it('calls days by their names while they have one', () => {
    const now = new Date(2026, 2, 1, 0, 5).getTime();
    const at = (...date: [number, number, number]) => day(new Date(...date, 23, 30).getTime(), now);
    expect([at(2026, 2, 1), at(2026, 1, 28)]).toEqual(['Today', 'Yesterday']);
    expect(at(2026, 1, 27)).toMatch(/27/);
    expect(at(2026, 1, 27)).not.toMatch(/2026/);
    expect(at(2025, 11, 31)).toMatch(/2025/);
  });

  it('groups addresses by four', () => {
    expect(groupsOf('alc1qx7r9f')).toEqual(['alc1', 'qx7r', '9f']);
    expect(groupsOf('')).toEqual([]);
  });
});
