import { describe, expect, it } from 'vitest';
import { AiloError } from '../errors/index.ts';
import type { TextCodec } from '../model/types.ts';
import type { FromNode, ModelListing } from '../protocol/messages.ts';
import { GREEDY } from '../sampler/types.ts';
import { createRequester } from './requester.ts';
import type { ChatEvent } from './types.ts';

const listing: ModelListing = {
  id: 'letters',
  name: 'Letters',
  manifestHash: '0'.repeat(64),
  contextLength: 8,
  chat: false,
  stages: 1,
  ready: 1,
};
/** Each character is its own token; the end brings a full stop, as a codec would that held something back. */
const codec: TextCodec = {
  encodePrompt: (text) => [...text].map((character) => character.codePointAt(0)!),
  encodeChat: (messages) => codec.encodePrompt(messages.at(-1)!.content),
  hasChatTemplate: false,
  encodeText: (text) => codec.encodePrompt(text),
  eosToken: undefined,
  decode: (ids) => String.fromCodePoint(...ids),
  stream: () => ({ push: (id) => String.fromCodePoint(id), end: () => '.' }),
};

function setUp() {
  const sent: { type: keyof FromNode; body: unknown }[] = [];
  const network = { open: true, load: async (): Promise<TextCodec> => codec };
  let ids = 0;
  const requester = createRequester({
    send: (type, body) => sent.push({ type, body }),
    isOpen: () => network.open,
    models: () => [listing],
    loadCodec: () => network.load(),
    newId: () => (++ids).toString().padStart(32, '0'),
    url: 'http://coordinator',
  });
  const ask = (content: string, signal?: AbortSignal) =>
    requester.chat(
      { model: 'letters', messages: [{ role: 'user', content }], maxNewTokens: 5, sampling: GREEDY },
      signal,
    );
  return { requester, sent, network, ask };
}

const first = '1'.padStart(32, '0');
const settle = () => new Promise((resolve) => setTimeout(resolve));

async function collect(events: AsyncIterable<ChatEvent>): Promise<ChatEvent[]> {
  const all: ChatEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

describe('requester', () => {
  it('tells of a pause with the token that ended it', async () => {
    const { requester, ask } = setUp();
    const answer = collect(ask('hey'));
    await settle();
    requester.token({ request: first, index: 0, token: 65 });
    requester.token({ request: first, index: 1, token: 66, pausedMs: 1200 });
    requester.finished({ request: first, reason: 'stop', tokens: 2, latencyMs: 1 });
    expect((await answer).slice(0, 2)).toEqual([
      { kind: 'token', index: 0, token: 65, text: 'A' },
      { kind: 'token', index: 1, token: 66, text: 'B', pausedMs: 1200 },
    ]);
  });

  it('takes back what was wrong, and goes on from there', async () => {
    const { requester, ask } = setUp();
    const answer = collect(ask('hey'));
    await settle();
    for (const [index, token] of [65, 66, 67].entries()) requester.token({ request: first, index, token });
    requester.rewind({ request: first, index: 1 });
    requester.token({ request: first, index: 1, token: 90 });
    requester.rewind({ request: 'f'.repeat(32), index: 0 });
    requester.finished({ request: first, reason: 'stop', tokens: 2, latencyMs: 1 });
    expect((await answer).slice(3)).toEqual([
      { kind: 'rewound', index: 1, text: 'A' },
      { kind: 'token', index: 1, token: 90, text: 'Z' },
      { kind: 'finished', reason: 'stop', text: 'AZ.', tokens: 2, latencyMs: 1 },
    ]);
  });

  it('asks with tokens and streams the answer as text', async () => {
    const { requester, sent, ask } = setUp();
    const answer = collect(ask('hey'));
    await settle();
    expect(sent).toEqual([
      {
        type: 'generate',
        body: { request: first, model: 'letters', tokens: [104, 101, 121], maxNewTokens: 5, sampling: GREEDY },
      },
    ]);
    requester.accepted({ request: first, participants: ['a', 'b'] });
    requester.token({ request: first, index: 0, token: 111 });
    requester.token({ request: 'f'.repeat(32), index: 0, token: 99 });
    requester.token({ request: first, index: 1, token: 107 });
    requester.finished({ request: first, reason: 'stop', tokens: 2, latencyMs: 30 });
    expect(await answer).toEqual([
      { kind: 'accepted', participants: ['a', 'b'], promptTokens: 3 },
      { kind: 'token', index: 0, token: 111, text: 'o' },
      { kind: 'token', index: 1, token: 107, text: 'k' },
      { kind: 'finished', reason: 'stop', text: 'ok.', tokens: 2, latencyMs: 30 },
    ]);
    expect(sent).toHaveLength(1);
  });

  it('tells a prompt that is too long before the network is asked', async () => {
    const { sent, ask } = setUp();
    await expect(collect(ask('12345678'))).rejects.toMatchObject({ code: 'PROMPT_TOO_LONG' });
    expect(sent).toEqual([]);
    const fits = collect(ask('1234567')).catch(() => {});
    await settle();
    expect(sent).toHaveLength(1);
    void fits;
  });

  it('cancels when the person stops, and again nothing when it was over', async () => {
    const { requester, sent, ask } = setUp();
    const stop = new AbortController();
    const answer = collect(ask('a', stop.signal));
    await settle();
    stop.abort();
    await expect(answer).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(sent.slice(1)).toEqual([{ type: 'cancel', body: { request: first } }]);
    requester.failed({ request: first, error: AiloError.of('CANCELLED', {}).toWire() });
    expect(sent).toHaveLength(2);
  });

  it('cancels when its reader goes away', async () => {
    const { requester, sent, ask } = setUp();
    const events = ask('a');
    const next = events.next();
    await settle();
    requester.accepted({ request: first, participants: [] });
    await next;
    await events.return();
    expect(sent.at(-1)).toEqual({ type: 'cancel', body: { request: first } });
  });

  it('is stopped while the tokenizer loads, without asking anybody', async () => {
    const { sent, network, ask } = setUp();
    const stop = new AbortController();
    network.load = async () => {
      stop.abort();
      return codec;
    };
    await expect(collect(ask('a', stop.signal))).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(sent).toEqual([]);
  });

  it('fails with what the coordinator says', async () => {
    const { requester, ask } = setUp();
    const answers = [collect(ask('a')), collect(ask('b')), collect(ask('c'))];
    const outcomes = Promise.allSettled(answers);
    await settle();
    requester.accepted({ request: first, participants: [] });
    requester.onRefused(AiloError.of('RATE_LIMITED', { retryAfterMs: 1000 }).toWire());
    requester.failed({ request: first, error: AiloError.of('STAGE_LOST', { stage: 1 }).toWire() });
    requester.onLost();
    expect((await outcomes).map((outcome) => outcome.status === 'rejected' && outcome.reason.code)).toEqual([
      'STAGE_LOST',
      'RATE_LIMITED',
      'SESSION_LOST',
    ]);
  });

  it('refuses at once without a session or for a model that nobody serves', async () => {
    const { requester, network, ask } = setUp();
    const request = { model: 'nobody', messages: [], maxNewTokens: 1, sampling: GREEDY };
    await expect(collect(requester.chat(request))).rejects.toMatchObject({ code: 'MODEL_UNKNOWN' });
    network.open = false;
    await expect(collect(ask('a'))).rejects.toMatchObject({ code: 'UNREACHABLE' });
  });
});
