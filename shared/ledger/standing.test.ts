import { expect, test } from 'vitest';
import { standing } from './standing.ts';
import { START_MS, TestLedger } from './testing.ts';

const { genesis } = new TestLedger().network;
const endMs = START_MS + genesis.transfer.reportWindowMs;

test.each([
  ['none', false, START_MS, 'pending'],
  ['none', true, START_MS, 'confirmed'],
  ['reported', false, START_MS, 'reported'],
  ['reported', true, endMs, 'reported'],
  ['reported', false, endMs + 1, 'pending'],
  ['reported', true, endMs + 1, 'confirmed'],
  ['disputed', true, endMs + 1, 'disputed'],
  ['reversed', true, endMs + 1, 'reversed'],
] as const)('with trouble “%s”, confirmed %s at %i it is %s', (trouble, confirmed, nowMs, expected) => {
  expect(standing(genesis, { trouble, confirmed, timeMs: START_MS }, nowMs)).toBe(expected);
});
