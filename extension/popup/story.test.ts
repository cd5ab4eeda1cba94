import { describe, expect, it } from 'vitest';
import type { ModelListing } from '../../shared/protocol/messages.ts';
import type { Turn } from '../state.ts';
import { entriesOf, obstacleOf, pickModel } from './story.ts';

const model = (id: string, change: Partial<ModelListing> = {}): ModelListing => ({
  id,
  name: id,
  manifestHash: '0'.repeat(64),
  contextLength: 512,
  chat: true,
  stages: 4,
  ready: 4,
  ...change,
});
const user = (text: string, name: string): Turn => ({ role: 'user', text, model: name, status: 'done' });
const answer = (text: string, name: string): Turn => ({ role: 'assistant', text, model: name, status: 'done' });

describe('a conversation as it is shown', () => {
  const models = [model('talk'), model('stories', { chat: false })];

  it('keeps question and answer of a chat model apart', () => {
    const turns = [user('Who are you?', 'talk'), answer('A model.', 'talk')];
    expect(entriesOf(turns, models)).toEqual([
      { kind: 'question', turn: turns[0] },
      { kind: 'answer', turn: turns[1], question: turns[0] },
    ]);
  });

  it('joins a beginning and its continuation to one story', () => {
    const turns = [user('Once', 'stories'), answer(' upon a time', 'stories')];
    expect(entriesOf(turns, models)).toEqual([{ kind: 'story', turn: turns[1], question: turns[0] }]);
  });

  it('shows a question whose answer has not begun, and an answer whose question is forgotten', () => {
    const [waiting, orphan] = [user('Once', 'stories'), answer(' upon', 'stories')];
    expect(entriesOf([waiting], models)).toEqual([{ kind: 'question', turn: waiting }]);
    expect(entriesOf([orphan], models)).toEqual([{ kind: 'answer', turn: orphan }]);
  });

  it('shows what a model answered that the network no longer serves', () => {
    const turns = [user('Once', 'gone'), answer(' upon', 'gone')];
    expect(entriesOf(turns, models).map(({ kind }) => kind)).toEqual(['question', 'answer']);
  });

  it('mixes models in one conversation', () => {
    const turns = [user('a', 'talk'), answer('b', 'talk'), user('c', 'stories'), answer('d', 'stories')];
    expect(entriesOf(turns, models).map(({ kind }) => kind)).toEqual(['question', 'answer', 'story']);
  });
});

describe('the model that is asked', () => {
  const [half, ready] = [model('half', { ready: 2 }), model('ready')];

  it('is the chosen one as long as it is served', () => {
    expect(pickModel([half, ready], 'half')).toBe(half);
    expect(pickModel([half, ready], 'gone')).toBe(ready);
  });

  it('is otherwise one that can answer, else the first', () => {
    expect(pickModel([half, ready], '')).toBe(ready);
    expect(pickModel([half], '')).toBe(half);
    expect(pickModel([], '')).toBeUndefined();
  });

  it('says why it cannot be asked', () => {
    expect(obstacleOf(ready, true)).toBeUndefined();
    expect(obstacleOf(half, true)).toBe('half needs more contributors: 2 of its 4 parts are loaded.');
    expect(obstacleOf(undefined, true)).toMatch(/serves no model/);
    expect(obstacleOf(ready, false)).toMatch(/no connection/);
  });
});
