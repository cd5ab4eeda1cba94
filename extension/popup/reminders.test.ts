import { expect, it } from 'vitest';
import type { AccountSummary } from '../../shared/protocol/messages.ts';
import type { WalletView } from '../state.ts';
import { remindersOf } from './reminders.ts';

const wallet = (change: Partial<WalletView> = {}): WalletView => ({
  locked: 'no',
  hasPassword: false,
  backedUp: false,
  ...change,
});
const account = (availableMicroAlc: string, pendingMicroAlc = '0') =>
  ({ availableMicroAlc, pendingMicroAlc }) as AccountSummary;

it('nothing is missing while there is no money', () => {
  expect(remindersOf(wallet(), undefined)).toEqual([]);
  expect(remindersOf(wallet(), account('0'))).toEqual([]);
});

it('with money, backup and password are, each until it is there', () => {
  expect(remindersOf(wallet(), account('1'))).toEqual([
    expect.stringContaining('twelve words'),
    expect.stringContaining('password'),
  ]);
  expect(remindersOf(wallet({ backedUp: true }), account('0', '1'))).toEqual([expect.stringContaining('password')]);
  expect(remindersOf(wallet({ hasPassword: true }), account('1'))).toEqual([expect.stringContaining('words')]);
  expect(remindersOf(wallet({ hasPassword: true, backedUp: true }), account('1'))).toEqual([]);
});
