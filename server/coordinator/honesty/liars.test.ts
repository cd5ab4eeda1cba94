/**
 * Who lies about what, and what comes of it: the real coordinator and real nodes over a made-up model, some of whose
 * messages say something else than is true.
 */
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { toAiloError } from '../../../shared/errors/index.ts';
import { memoryLinks } from '../../../shared/node/direct/testing.ts';
import { mixContributor, mixStage } from '../../../shared/node/testing.ts';
import { type FromCoordinator, type FromNode, fromCoordinator, fromNode } from '../../../shared/protocol/messages.ts';
import { type MessageOf, parseMessage } from '../../../shared/protocol/parse.ts';
import { GREEDY } from '../../../shared/sampler/types.ts';
import type { InferenceResult } from '../../ledger/types.ts';
import { createDispatcher } from '../dispatcher.ts';
import type { RoomSpec } from '../room.ts';
import { AUDIT_TIMEOUT_MS, EVIDENCE_TIMEOUT_MS } from './limits.ts';
import { memoryTrust } from './trust-store.ts';

const UNITS = 6;
const STAGES = 3;
const MODEL = 'mixed';
const TOKENS = 6;
const PROMPT = [3, 1, 4, 1, 5];
const REQUEST = '1'.repeat(32);
const addressOf = (name: string) => `alc1${'q'.repeat(57)}${name}`;
const ASKER = addressOf('a');
const NODES = [...'023456789'].map(addressOf);
const settled = () => new Promise((resolve) => setImmediate(resolve));

const spec: RoomSpec = {
  model: MODEL,
  name: MODEL,
  manifestHash: '00'.repeat(32),
  quant: 'f32',
  chat: false,
  contextLength: 100,
  maxSequences: 4,
  vocabSize: 50,
  eosTokens: [],
  units: UNITS,
  stages: STAGES,
  budgetOf: ({ budgetBytes }) => budgetBytes,
  memoryBytes: ({ start, end }) => end - start,
  plan: (range, candidates, _, count = 1) =>
    candidates.length < count
      ? undefined
      : candidates
          .slice(0, count)
          .map(({ node }, i) => ({ node, range: { start: range.start + 2 * i, end: range.start + 2 * i + 2 } })),
};

type Up = MessageOf<FromNode>;
/** What a node sends in the place of a message. */
type Lie = (message: Up) => Up | undefined;

async function network(holders: number, isDirect = false) {
  const links = memoryLinks();
  let nowMs = 0;
  let seed = 7;
  const timers = new Set<{ dueMs: number; run(): void }>();
  const schedule = (run: () => void, delayMs: number) => {
    const timer = { dueMs: nowMs + delayMs, run };
    timers.add(timer);
    return () => void timers.delete(timer);
  };
  const trust = memoryTrust();
  const paid: InferenceResult[] = [];
  const asked: MessageOf<FromCoordinator>[] = [];
  const down: { to: string; message: MessageOf<FromCoordinator> }[] = [];
  const up: { from: string; message: Up }[] = [];
  const contributors = new Map<string, ReturnType<typeof mixContributor>>();
  const lies = new Map<string, Lie>();
  const refused: string[] = [];
  /** Nodes whose stages give garbage. */
  const broken = new Set<string>();
  let checker: { node?: string; lie: Lie } | undefined;
  /** Who computes the job that was opened last, by stage. */
  let holdersNow: string[] = [];
  let opened: FromCoordinator['jobOpen'] | undefined;
  const dispatcher = createDispatcher(
    {
      specs: [spec],
      ledger: {
        account: () => new Promise(() => {}),
        mintInference: async (result) => {
          paid.push(result);
          return { transactions: [] };
        },
        checkpoint: () => new Promise(() => {}),
        subscribe: () => () => {},
      },
      now: () => nowMs,
      wallClock: () => 1e12,
      random: () => {
        seed = (seed * 48271) % 2147483647;
        return seed / 2147483647;
      },
      schedule,
      log: pino({ level: 'silent' }),
      trust,
    },
    (to, type, body) => {
      const message = parseMessage(fromCoordinator, type, body);
      if (to === ASKER) asked.push(message);
      if (to === ASKER && message.type === 'accepted') holdersNow = message.body.participants;
      if (message.type === 'jobOpen') opened = message.body;
      if (message.type === 'checkOpen' && checker && !checker.node) {
        checker.node = to;
        lies.set(to, checker.lie);
      }
      if (contributors.has(to)) down.push({ to, message });
    },
  );
  dispatcher.opened(ASKER);

  /** What is refused is told to the sender, over its session. */
  function hear(from: string, message: Up) {
    try {
      dispatcher.message(from, message);
    } catch (thrown) {
      refused.push(`${message.type} of ${from}: ${toAiloError(thrown).code}`);
    }
  }

  async function deliver() {
    for (;;) {
      const sent = up.shift();
      if (sent) hear(sent.from, sent.message);
      const told = down.shift();
      if (told) {
        const handlers = contributors.get(told.to) as unknown as Record<string, (body: unknown) => void>;
        handlers[told.message.type]?.(told.message.body);
      }
      await settled();
      for (const arrive of links.deliveries(() => true)) arrive();
      await settled();
      if (up.length + down.length + links.deliveries(() => true).length === 0) return;
    }
  }

  async function pass(ms: number) {
    for (const endMs = nowMs + ms; nowMs < endMs; ) {
      nowMs = Math.min(endMs, nowMs + 500);
      for (const timer of [...timers].filter(({ dueMs }) => dueMs <= nowMs)) {
        timers.delete(timer);
        timer.run();
      }
      await deliver();
    }
  }

  for (const node of NODES.slice(0, STAGES * holders)) {
    const contributor = mixContributor(UNITS, {
      address: node,
      send(type, body) {
        const message = parseMessage(fromNode, type, body);
        const said = lies.has(node) ? lies.get(node)!(message) : message;
        if (said) up.push({ from: node, message: said });
      },
      spoil: (output) => (broken.has(node) ? { ...output, data: output.data.map((value) => 1.5 * value + 1) } : output),
      ...(isDirect && { direct: links.transport(node) }),
      now: () => nowMs,
      schedule,
    });
    contributors.set(node, contributor);
    dispatcher.opened(node);
    contributor.contribute(true);
    await settled();
    await deliver();
  }

  const self = {
    trust,
    paid,
    asked,
    refused,
    lies,
    deliver,
    pass,
    /** Asks; holders of stages lie as they are told to, or give garbage, and so does the first who is asked to check. */
    async ask(lying: { [stage: number]: Lie }, { garbage, check }: { garbage?: number; check?: Lie } = {}) {
      const first = self.begin();
      for (const [stage, lie] of Object.entries(lying)) lies.set(first[Number(stage)]!, lie);
      if (garbage !== undefined) broken.add(first[garbage]!);
      if (check) checker = { lie: check };
      await deliver();
      return first;
    },
    /** Asks, and nothing has arrived yet. */
    begin() {
      dispatcher.message(ASKER, {
        type: 'generate',
        body: { request: REQUEST, model: MODEL, tokens: PROMPT, maxNewTokens: TOKENS, sampling: GREEDY },
      });
      return [...holdersNow];
    },
    checker: () => checker?.node,
    opened: () => opened!,
    say: <T extends Up['type']>(from: string, type: T, body: FromNode[T]) =>
      up.push({ from, message: { type, body } as Up }),
    end: () => asked.find(({ type }) => type === 'finished' || type === 'failed')?.type,
    /** What the asker has in the end. */
    answer() {
      const tokens: number[] = [];
      for (const { type, body } of asked) {
        if (type === 'rewind') tokens.length = body.index;
        if (type === 'token') tokens[body.index] = body.token;
      }
      return tokens;
    },
    accused: () => NODES.filter((node) => trust.of(node).strikes > 0),
    differing: () => NODES.filter((node) => trust.of(node).disputedWith.length > 0),
    close: () => dispatcher.close(),
  };
  return self;
}

async function right(): Promise<number[]> {
  const { stage } = mixStage(0, UNITS, UNITS);
  const answer: number[] = [];
  let position = 0;
  for (let input = PROMPT; answer.length < TOKENS; input = answer.slice(-1)) {
    const ids = Int32Array.from(input);
    const [output] = await stage.run([{ sequence: 'x', position, input: { kind: 'tokens', ids } }]);
    position += input.length;
    answer.push(output!.data.indexOf(Math.max(...output!.data)));
  }
  return answer;
}

/** The rows of a frame, changed. They are f32. */
function falsified(data: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(data);
  const view = new DataView(copy.buffer);
  for (let at = 40; at < copy.length; at += 4) view.setFloat32(at, view.getFloat32(at, true) + 5, true);
  return copy;
}

const ofType =
  <T extends Up['type']>(type: T, change: (body: FromNode[T]) => FromNode[T] | undefined): Lie =>
  (message) => {
    if (message.type !== type) return message;
    const body = change(message.body as FromNode[T]);
    return body && ({ type, body } as Up);
  };
const other = 'f'.repeat(64);
const sendsGarbage = ofType('frame', (body) => ({ ...body, data: falsified(body.data) }));
const showsGarbage = ofType('evidence', (body) => ({ ...body, data: falsified(body.data) }));
const saysItSentOther = ofType('commitment', (body) => ({ ...body, sent: other }));
const saysItReceivedOther = ofType('commitment', (body) => ({ ...body, received: other }));

describe('an answer of three stages, each with three holders', () => {
  test('is paid when all is as it should be, and everybody has passed a check', async () => {
    const net = await network(3);
    const first = await net.ask({});
    expect(net.answer()).toEqual(await right());
    expect(net.end()).toBe('finished');
    expect(net.paid).toHaveLength(1);
    expect(net.refused).toEqual([]);
    for (const node of NODES) expect(net.trust.of(node).passes).toBe(first.includes(node) ? 1 : 0);
    await net.close();
  });

  test.each<[string, number, Lie]>([
    ['shows other rows than it says it sent', 0, showsGarbage],
    ['shows other rows than it says it sent, as the last', 2, showsGarbage],
    ['says it sent something else than it shows', 1, saysItSentOther],
    ['says it received something else, and computed from what it was sent', 1, saysItReceivedOther],
    ['says it received other tokens', 0, saysItReceivedOther],
    [
      'tells the asker another token than it chose',
      2,
      ofType('token', (body) => ({ ...body, token: (body.token + 1) % 50 })),
    ],
    [
      'answers the wrong token once',
      2,
      ofType('token', (body) => (body.index === 4 ? { ...body, token: (body.token + 1) % 50 } : body)),
    ],
    ['answers out of turn', 2, ofType('token', (body) => ({ ...body, index: body.index + 1 }))],
  ])('is put right where one %s, who alone is caught and not paid', async (_, stage, lie) => {
    const net = await network(3);
    const first = await net.ask({ [stage]: lie });
    expect(net.end()).toBe('finished');
    expect(net.answer()).toEqual(await right());
    expect(net.accused()).toEqual([first[stage]]);
    expect(net.differing()).toEqual([]);
    expect(net.paid.flatMap(({ participants }) => participants.map(({ address }) => address))).not.toContain(
      first[stage],
    );
    await net.close();
  });

  test.each<[string, number, Lie, number[]]>([
    ['sends garbage, and shows what it should have sent', 1, sendsGarbage, [1, 2]],
    ['says that it was sent something else, to excuse garbage', 1, saysItReceivedOther, [0, 1]],
  ])('is put right where one %s: who differ are set aside, nobody is banned', async (_, stage, lie, parties) => {
    const net = await network(3);
    const first = await net.ask({ [stage]: lie }, lie === saysItReceivedOther ? { garbage: stage } : {});
    expect(net.end()).toBe('finished');
    expect(net.answer()).toEqual(await right());
    expect(net.accused()).toEqual([]);
    expect(new Set(net.differing())).toEqual(new Set(parties.map((party) => first[party])));
    const paid = net.paid.flatMap(({ participants }) => participants.map(({ address }) => address));
    expect(paid).not.toContain(first[stage]);
    await net.close();
  });

  test.each([0, 1, 2])('is put right where stage %i gives garbage, whose holder alone is caught', async (garbage) => {
    const net = await network(3);
    const first = await net.ask({}, { garbage });
    expect(net.end()).toBe('finished');
    expect(net.answer()).toEqual(await right());
    expect(net.accused()).toEqual([first[garbage]]);
    expect(net.differing()).toEqual([]);
    await net.close();
  });

  test('is put right where the last answers what it has no rows for, who alone is caught', async () => {
    const net = await network(3);
    const first = net.begin();
    net.say(first[2]!, 'token', { job: net.opened().job, index: 0, token: 7 });
    await net.deliver();
    expect(net.end()).toBe('finished');
    expect(net.answer()).toEqual(await right());
    expect(net.accused()).toEqual([first[2]]);
    await net.close();
  });

  test('is put right where it does so in a room whose rows go directly: it differs with the one before it', async () => {
    const net = await network(3, true);
    const first = net.begin();
    const { job } = net.opened();
    net.lies.set(
      first[2]!,
      ofType('commitment', (body) => ({ ...body, rows: TOKENS })),
    );
    for (let index = 0; index < TOKENS; index++) net.say(first[2]!, 'token', { job, index, token: 7 });
    await net.deliver();
    expect(net.end()).toBe('finished');
    expect(net.answer()).toEqual(await right());
    expect(net.accused()).toEqual([]);
    expect(new Set(net.differing())).toEqual(new Set(first.slice(1)));
    await net.close();
  });

  test('stands where a checker lies, who is caught', async () => {
    const net = await network(3);
    await net.ask({}, { check: showsGarbage });
    expect(net.answer()).toEqual(await right());
    expect(net.asked.filter(({ type }) => type === 'rewind')).toEqual([]);
    expect(net.paid).toHaveLength(1);
    expect(net.accused()).toEqual([net.checker()]);
    await net.close();
  });

  test.each<[string, Lie]>([
    ['what passed', ofType('commitment', () => undefined)],
    ['the rows', ofType('evidence', () => undefined)],
  ])('begins anew where one does not tell %s, which costs that one its trust', async (_, lie) => {
    const net = await network(3);
    const first = await net.ask({ 1: lie });
    expect(net.end()).toBeUndefined();
    await net.pass(EVIDENCE_TIMEOUT_MS + 1000);
    expect(net.end()).toBe('finished');
    expect(net.answer()).toEqual(await right());
    expect(net.accused()).toEqual([]);
    expect(net.paid[0]!.participants.map(({ address }) => address)).not.toContain(first[1]);
    await net.close();
  });

  test('waits for no checker for ever', async () => {
    const net = await network(3);
    await net.ask({}, { check: ofType('checked', () => undefined) });
    await net.pass(AUDIT_TIMEOUT_MS + EVIDENCE_TIMEOUT_MS);
    expect(net.end()).toBe('finished');
    expect(net.accused()).toEqual([]);
    await net.close();
  });
});

test('of two who disagree, without a third, neither is believed', async () => {
  const net = await network(2);
  const first = await net.ask({}, { garbage: 1 });
  expect(net.accused()).toEqual([]);
  expect(net.differing()).toHaveLength(2);
  expect(net.differing()).toContain(first[1]);
  // Who stood by for another stage has loaded this one.
  expect(net.end()).toBe('finished');
  expect(net.answer()).toEqual(await right());
  const paid = net.paid.flatMap(({ participants }) => participants.map(({ address }) => address));
  expect(paid.filter((node) => net.differing().includes(node))).toEqual([]);
  await net.close();
});
