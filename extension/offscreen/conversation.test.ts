import { describe, expect, it } from 'vitest';
import { AiloError } from '../../shared/errors/index.ts';
import type { AiloNode, ChatEvent, ChatRequest } from '../../shared/node/types.ts';
import type { Turn } from '../state.ts';
import { createConversation } from './conversation.ts';

const SETTINGS = { temperature: 0, maxNewTokens: 8 };

/** A node whose answers are fed by hand. */
function script(events: (ChatEvent | Error)[], gate?: Promise<void>) {
  const requests: ChatRequest[] = [];
  const chat: AiloNode['chat'] = async function* (request, signal) {
    requests.push(request);
    for (const event of events) {
      if (signal?.aborted) throw AiloError.of('CANCELLED', {});
      if (event instanceof Error) throw event;
      yield event;
    }
    await gate;
    if (signal?.aborted) throw AiloError.of('CANCELLED', {});
  };
  return { requests, chat };
}

function start(chat: AiloNode['chat'], turns: Turn[] = []) {
  const saved: Turn[][] = [];
  let nowMs = 0;
  const conversation = createConversation({
    chat,
    turns,
    save: async (state) => void saved.push(state),
    onChange() {},
    onAnswer() {},
    now: () => (nowMs += 500),
    seed: () => 7,
  });
  return { conversation, saved };
}

const token = (index: number, text: string): ChatEvent => ({ kind: 'token', index, token: index, text });
const turn = (role: Turn['role'], text: string, status: Turn['status'] = 'done'): Turn => ({
  role,
  text,
  status,
  model: 'm',
});

describe('conversation', () => {
  it('takes back what nodes answered wrong', async () => {
    const { chat } = script([
      token(0, 'Hel'),
      token(1, 'p'),
      { kind: 'rewound', index: 1, text: 'Hel' },
      token(1, 'lo'),
      { kind: 'finished', reason: 'stop', text: 'Hello', tokens: 2, latencyMs: 9 },
    ]);
    const { conversation } = start(chat);
    await conversation.ask('m', 'Hi', SETTINGS);
    expect(conversation.turns[1]).toMatchObject({ text: 'Hello', tokens: 2, status: 'done' });
  });

  it('gathers the answer, its participants and its speed, and saves it', async () => {
    const { chat, requests } = script([
      { kind: 'accepted', participants: ['a', 'b'], promptTokens: 2 },
      token(0, 'Hel'),
      token(1, 'l'),
      token(2, ''),
      { kind: 'finished', reason: 'stop', text: 'Hello', tokens: 3, latencyMs: 9 },
    ]);
    const { conversation, saved } = start(chat);
    await conversation.ask('m', 'Hi', SETTINGS);
    expect(requests[0]).toMatchObject({ model: 'm', messages: [{ role: 'user', content: 'Hi' }], maxNewTokens: 8 });
    expect(conversation.turns[1]).toEqual({
      ...turn('assistant', 'Hello'),
      tokens: 3,
      participants: ['a', 'b'],
      // The first token starts the clock, the two others come 500 ms apart.
      tokensPerSecond: 2,
    });
    expect(saved.at(-1)).toEqual(conversation.turns);
  });

  it('leaves questions without an answer out of what the model is shown', async () => {
    const { chat, requests } = script([]);
    const { conversation } = start(chat, [
      turn('user', 'lost'),
      turn('assistant', '', 'failed'),
      turn('user', 'one'),
      turn('assistant', 'two'),
    ]);
    await conversation.ask('m', 'three', SETTINGS);
    expect(requests[0]!.messages.map(({ content }) => content)).toEqual(['one', 'two', 'three']);
  });

  it('keeps what was written when the answer fails, and says why', async () => {
    const { conversation } = start(script([token(0, 'Half'), AiloError.of('STAGE_LOST', { stage: 1 })]).chat);
    await conversation.ask('m', 'Hi', SETTINGS);
    expect(conversation.turns[1]).toMatchObject({ text: 'Half', status: 'failed', error: { code: 'STAGE_LOST' } });
  });

  it('stops', async () => {
    let open = () => {};
    const { chat } = script([token(0, 'Half')], new Promise<void>((resolve) => (open = resolve)));
    const { conversation } = start(chat);
    const asked = conversation.ask('m', 'Hi', SETTINGS);
    conversation.stop();
    open();
    await asked;
    expect(conversation.turns[1]).toMatchObject({ status: 'stopped' });
  });

  it('stays empty when cleared in the middle of an answer', async () => {
    let open = () => {};
    const { chat } = script([token(0, 'Half')], new Promise<void>((resolve) => (open = resolve)));
    const { conversation, saved } = start(chat);
    const asked = conversation.ask('m', 'Hi', SETTINGS);
    await conversation.clear();
    open();
    await asked;
    expect(conversation.turns).toEqual([]);
    expect(saved.at(-1)).toEqual([]);
  });

  it('takes an answer that the last browser session left running for stopped', () => {
    const { conversation } = start(script([]).chat, [turn('assistant', 'Half', 'running')]);
    expect(conversation.turns[0]!.status).toBe('stopped');
  });
});
