import { expect, it } from 'vitest';
import type { NodeState } from '../../shared/node/types.ts';
import { describe } from './describe.ts';

const address = `alc1${'q'.repeat(58)}`;
const state: NodeState = {
  connection: 'connected',
  address,
  username: 'ada',
  contributing: true,
  activity: { kind: 'waiting' },
  training: { kind: 'off' },
  models: [],
};
const loading = (loadedBytes: number): NodeState => ({
  ...state,
  activity: { kind: 'loading', model: 'tiny', stage: 1, stages: 4, loadedBytes, totalBytes: 1000 },
});

it('tells a state in lines for a person', () => {
  expect(
    describe({
      ...state,
      account: {
        address,
        availableMicroAlc: '1250000',
        pendingMicroAlc: '0',
        earnedTodayMicroAlc: '50000',
        earnedTotalMicroAlc: '1250000',
        transactions: 3,
      },
      error: { code: 'CANCELLED', message: 'It was stopped.' },
    }),
  ).toEqual({
    connection: `Connected as ada, ${address}`,
    activity: 'Waiting for a part of a model',
    training: '',
    account: 'Balance: 1.25 ALC, earned today: 0.05 ALC',
    error: 'It was stopped.',
  });
});

it('tells progress in tenths', () => {
  expect(describe(loading(0)).activity).toBe('Loading part 2 of 4 of tiny: 0 %');
  expect(describe(loading(299)).activity).toBe('Loading part 2 of 4 of tiny: 20 %');
  expect(describe(loading(1000)).activity).toBe('Loading part 2 of 4 of tiny: 100 %');
});

it('does not wait for work without a connection', () => {
  expect(describe({ ...state, connection: 'connecting' }).activity).toBe('');
});

it('tells of training, but not of every step', () => {
  const round = { campaign: 'nano', round: 2, rounds: 67, steps: 30 };
  const lineOf = (training: NodeState['training']) => describe({ ...state, training }).training;
  expect(lineOf({ kind: 'learning', ...round, step: 3, loss: 2.34567 })).toBe(
    'Learning for nano: round 3 of 67, step 3 of 30, loss 2.346',
  );
  expect(lineOf({ kind: 'learning', ...round, step: 4, loss: 2.3 })).toBe('');
  expect(lineOf({ kind: 'sending', ...round, bytes: 16_540 })).toBe('Sending what was learned: 16540 bytes');
});
