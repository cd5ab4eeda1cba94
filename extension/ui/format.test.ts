import { describe, expect, it } from 'vitest';
import { alc, count, megabytes, shortAddress, when } from './format.ts';

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
  });

  it('says of a time only what the reader does not know', () => {
    const now = new Date(2026, 10, 24, 15, 0).getTime();
    const at = (...date: [number, number, number]) => when(new Date(...date, 9, 30).getTime(), now);
    expect(at(2026, 10, 24)).not.toMatch(/24|2026/);
    expect(at(2026, 10, 23)).toMatch(/23/);
    expect(at(2026, 10, 23)).not.toMatch(/2026/);
    expect(at(2025, 10, 23)).toMatch(/2025/);
  });
});
