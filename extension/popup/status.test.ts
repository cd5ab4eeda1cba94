import { describe, expect, it } from 'vitest';
import type { Activity, NodeState } from '../../shared/node/types.ts';
import { contributionOf, statusOf, termsOf, troubleOf, usernameRefusal } from './status.ts';

const stage = { model: 'stories', stage: 1, stages: 4 };
const ready: Activity = { kind: 'ready', ...stage, start: 2, end: 4, jobsDone: 0 };
const working: Activity = { kind: 'working', ...stage, jobs: 2, steps: 9, jobsDone: 0 };

const node = (change: Partial<NodeState> = {}): NodeState => ({
  connection: 'connected',
  address: 'alc1x',
  contributing: true,
  training: { kind: 'off' },
  activity: ready,
  models: [],
  ...change,
});
const off: Partial<NodeState> = { contributing: false, activity: { kind: 'off' } };
const unreachable = { code: 'UNREACHABLE', message: 'It cannot be reached.' } as const;
const locked = { code: 'WALLET_LOCKED', message: 'It is locked.' } as const;
const taken = { code: 'USERNAME_TAKEN', message: 'The name is taken.' } as const;

describe('the word in the header', () => {
  it.each<[string, string, Partial<NodeState>]>([
    ['on', 'Contributing', {}],
    ['on', 'Computing', { activity: working }],
    ['waiting', 'Waiting', { activity: { kind: 'waiting' } }],
    ['waiting', 'Loading…', { activity: { kind: 'loading', ...stage, loadedBytes: 0, totalBytes: 1 } }],
    ['waiting', 'Connecting…', { connection: 'connecting' }],
    ['off', 'Connected', off],
    ['error', 'Refused', { connection: 'refused' }],
    ['off', 'Locked', { ...off, connection: 'stopped', error: locked }],
    ['error', 'No wallet', { ...off, connection: 'stopped', error: { ...locked, code: 'WALLET_UNREADABLE' } }],
    ['waiting', 'Connecting…', { ...off, connection: 'stopped' }],
  ])('is %s: %s', (tone, label, change) => {
    expect(statusOf(node(change))).toEqual({ tone, label });
  });
});

describe('trouble', () => {
  it('is not what was overcome', () => {
    expect(troubleOf(node({ error: unreachable }))).toBeUndefined();
    expect(troubleOf(node({ connection: 'connecting' }))).toBeUndefined();
  });

  it('says that it is tried again', () => {
    expect(troubleOf(node({ connection: 'connecting', error: unreachable }))).toBe(
      'It cannot be reached. Trying again…',
    );
    expect(troubleOf(node({ connection: 'refused', error: unreachable }))).toBe('It cannot be reached.');
  });

  it('is a wallet without its key', () => {
    const stopped = node({ ...off, connection: 'stopped', error: locked });
    expect(troubleOf(stopped)).toBe('It is locked.');
    expect(contributionOf(stopped, true)).toBe('Contributing could not begin. It is locked.');
  });

  it('tells a refused username from other errors', () => {
    expect(usernameRefusal({ usernameError: taken })).toBe('The name is taken.');
    expect(usernameRefusal({ usernameError: unreachable })).toBeUndefined();
  });
});

describe('the sentence beside the switch', () => {
  it('tells off from finishing', () => {
    expect(contributionOf(node(off), false)).toMatch(/Nothing is computed/);
    expect(contributionOf(node({ contributing: false, activity: working }), false)).toMatch(/Finishing/);
  });

  it('gives the reason when contributing could not begin', () => {
    const error = { code: 'ENGINE_UNAVAILABLE', message: 'No engine.' } as const;
    expect(contributionOf(node({ ...off, error }), true)).toBe('Contributing could not begin. No engine.');
  });

  it('counts the answers that are computed', () => {
    expect(contributionOf(node({ activity: working }), true)).toBe('Computing 2 answers right now.');
    expect(contributionOf(node({ activity: { ...working, jobs: 1 } as Activity }), true)).toMatch(/1 answer right/);
  });

  it('waits for the coordinator while there is no connection', () => {
    expect(contributionOf(node({ connection: 'connecting' }), true)).toMatch(/Waiting for the coordinator/);
  });
});

it('tells whoever asks a model of the catalogue its terms', () => {
  const listing = { manifestHash: '', contextLength: 1, chat: true, stages: 1, ready: 1 };
  const terms = (id: string) => termsOf({ id, name: 'It', ...listing });
  expect(terms('Llama-3.1-405B-Instruct')).toBe('It is used on its authors’ terms: Llama 3.1 Community License.');
  // A shape without weights, and a model of somebody's own.
  expect(terms('moe-600b')).toBeUndefined();
  expect(terms('my-model')).toBeUndefined();
});
