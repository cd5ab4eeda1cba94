import { expect, test } from 'vitest';
import { TestLedger, wallets } from '../../shared/ledger/testing.ts';
import { activeSet } from './active-set.ts';

const ledger = new TestLedger();
ledger.pay();
const { genesis } = ledger.network;
const place = (i: number) => ledger.state.placeOf(wallets[i]!.publicKey)!;
const address = (i: number) => wallets[i]!.address;

test('names each that is present and has worked lately once, by their places', () => {
  // Wallet 0 only asked, wallet 9 is unknown.
  const present = [2, 1, 0, 9, 2].map(address);
  expect(activeSet(genesis, ledger.state, present, ledger.timeMs)).toEqual([place(1), place(2)]);
  expect(activeSet(genesis, ledger.state, [address(2)], ledger.timeMs)).toEqual([place(2)]);
});

test('is empty when the work was too long ago', () => {
  const later = ledger.timeMs + genesis.activity.verifiedWorkMs + 1;
  expect(activeSet(genesis, ledger.state, [address(1)], later)).toEqual([]);
});
