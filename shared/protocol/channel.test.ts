import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Channel, createChannel, type Fault, type MessageOf } from './channel.ts';
import { ACK_AFTER_MS, ACK_EVERY_MESSAGES, MAX_OUTBOX_MESSAGES } from './limits.ts';
import { type Envelope, type FromCoordinator, type FromNode, fromCoordinator, fromNode } from './messages.ts';
import type { Schedule } from './schedule.ts';

const JOB = 'ab'.repeat(16);
const PEER = `alc1${'q'.repeat(58)}`;

/** A clock that moves only when told. */
function manualClock(): { schedule: Schedule; advance(ms: number): void } {
  let now = 0;
  const timers = new Set<{ at: number; run: () => void }>();
  return {
    schedule: (run, delayMs) => {
      const timer = { at: now + delayMs, run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance(ms) {
      now += ms;
      for (const timer of [...timers].filter(({ at }) => at <= now)) {
        timers.delete(timer);
        timer.run();
      }
    },
  };
}

function nodeEnd(schedule: Schedule) {
  const messages: MessageOf<FromCoordinator>[] = [];
  const faults: Fault[] = [];
  const channel: Channel<FromNode> = createChannel<FromCoordinator, FromNode>({
    accepts: fromCoordinator,
    onMessage: (message) => messages.push(message),
    onFault: (fault) => faults.push(fault),
    schedule,
  });
  return { channel, messages, faults };
}

function coordinatorEnd(schedule: Schedule) {
  const messages: MessageOf<FromNode>[] = [];
  const faults: Fault[] = [];
  const channel: Channel<FromCoordinator> = createChannel<FromNode, FromCoordinator>({
    accepts: fromNode,
    onMessage: (message) => messages.push(message),
    onFault: (fault) => faults.push(fault),
    schedule,
  });
  return { channel, messages, faults };
}

const jobClose = (n: number) => ({ job: n.toString(16).padStart(32, '0'), reason: 'done' as const });
const token = (index: number) => ({ job: JOB, index, token: index });

describe('channel', () => {
  it('loses, duplicates and reorders nothing over sockets that drop at any moment', () => {
    const step = fc.oneof(
      fc.constant({ do: 'nodeSends' as const }),
      fc.constant({ do: 'coordinatorSends' as const }),
      fc.record({ do: fc.constant('deliverToNode' as const), count: fc.integer({ min: 1, max: 5 }) }),
      fc.record({ do: fc.constant('deliverToCoordinator' as const), count: fc.integer({ min: 1, max: 5 }) }),
      fc.constant({ do: 'cut' as const }),
      fc.constant({ do: 'attach' as const }),
      fc.constant({ do: 'wait' as const }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const clock = manualClock();
        const node = nodeEnd(clock.schedule);
        const coordinator = coordinatorEnd(clock.schedule);
        let toNode: Envelope[] = [];
        let toCoordinator: Envelope[] = [];
        let sentByNode = 0;
        let sentByCoordinator = 0;
        const cut = () => {
          toNode = [];
          toCoordinator = [];
          node.channel.detach();
          coordinator.channel.detach();
        };
        const attach = () => {
          cut();
          const [atNode, atCoordinator] = [node.channel.received, coordinator.channel.received];
          const [nodeWire, coordinatorWire] = [toCoordinator, toNode];
          node.channel.attach({ send: (envelope) => nodeWire.push(envelope) }, atCoordinator);
          coordinator.channel.attach({ send: (envelope) => coordinatorWire.push(envelope) }, atNode);
        };
        const deliver = (wire: Envelope[], to: { receive(envelope: unknown): void }, count: number) => {
          for (const envelope of wire.splice(0, count)) to.receive(envelope);
        };
        const run = {
          nodeSends: () => node.channel.send('token', token(sentByNode++)),
          coordinatorSends: () => coordinator.channel.send('jobClose', jobClose(sentByCoordinator++)),
          deliverToNode: (count: number) => deliver(toNode, node.channel, count),
          deliverToCoordinator: (count: number) => deliver(toCoordinator, coordinator.channel, count),
          cut,
          attach,
          wait: () => clock.advance(ACK_AFTER_MS),
        };
        for (const each of steps) run[each.do]('count' in each ? each.count : 0);
        attach();
        while (toNode.length + toCoordinator.length > 0) {
          deliver(toNode, node.channel, Number.POSITIVE_INFINITY);
          deliver(toCoordinator, coordinator.channel, Number.POSITIVE_INFINITY);
          clock.advance(ACK_AFTER_MS);
        }
        expect(node.messages.map(({ body }) => body)).toEqual(range(sentByCoordinator).map(jobClose));
        expect(coordinator.messages.map(({ body }) => body)).toEqual(range(sentByNode).map(token));
        expect([...node.faults, ...coordinator.faults]).toEqual([]);
        // Everything was acknowledged: nothing is sent again.
        attach();
        expect([...toNode, ...toCoordinator]).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('ignores what arrives twice and drops the socket on a gap', () => {
    const { channel, messages, faults } = nodeEnd(manualClock().schedule);
    channel.attach({ send: () => {} }, 0);
    channel.receive({ seq: 1, ack: 0, type: 'jobClose', body: jobClose(1) });
    channel.receive({ seq: 1, ack: 0, type: 'jobClose', body: jobClose(1) });
    expect(messages).toHaveLength(1);
    expect(faults).toEqual([]);
    channel.receive({ seq: 3, ack: 0, type: 'jobClose', body: jobClose(3) });
    expect(messages).toHaveLength(1);
    expect(faults).toMatchObject([{ costs: 'socket', error: { code: 'MESSAGE_INVALID' } }]);
    expect(channel.received).toBe(1);
  });

  it('drops the socket of a peer that acknowledges what was never sent', () => {
    const { channel, faults } = nodeEnd(manualClock().schedule);
    channel.receive({ seq: 0, ack: 1 });
    expect(faults).toMatchObject([{ costs: 'socket' }]);
  });

  it.each([
    ['a string', 'hello', 'envelope'],
    ['no sequence number', { type: 'token', body: token(0) }, 'envelope'],
    ['a negative sequence number', { seq: -1, ack: 0 }, 'envelope'],
    ['an unknown field', { seq: 1, ack: 0, type: 'withdraw', body: {}, eval: 'x' }, 'envelope'],
    ['no type', { seq: 1, ack: 0 }, ''],
    ['an unknown type', { seq: 1, ack: 0, type: 'mine', body: {} }, 'mine'],
    ['a type of Object.prototype', { seq: 1, ack: 0, type: 'constructor', body: {} }, 'constructor'],
    ['the other direction', { seq: 1, ack: 0, type: 'assign', body: {} }, 'assign'],
    ['a missing field', { seq: 1, ack: 0, type: 'token', body: { job: JOB, index: 0 } }, 'token'],
    ['an extra field', { seq: 1, ack: 0, type: 'withdraw', body: { now: true } }, 'withdraw'],
    ['no body', { seq: 1, ack: 0, type: 'withdraw' }, 'withdraw'],
    ['a token out of range', { seq: 1, ack: 0, type: 'token', body: { ...token(0), token: -1 } }, 'token'],
    ['data that is no bytes', { seq: 1, ack: 0, type: 'frame', body: { job: JOB, to: PEER, data: 'x' } }, 'frame'],
    [
      'a frame that is too large',
      { seq: 1, ack: 0, type: 'frame', body: { job: JOB, to: PEER, data: new Uint8Array(240 * 1024 + 1) } },
      'frame',
    ],
  ])('refuses %s and goes on', (_, envelope, about) => {
    const { channel, messages, faults } = coordinatorEnd(manualClock().schedule);
    channel.receive(envelope);
    expect(messages).toEqual([]);
    expect(faults).toMatchObject([{ costs: 'message', about, error: { code: 'MESSAGE_INVALID' } }]);
    channel.receive({ seq: channel.received + 1, ack: 0, type: 'token', body: token(0) });
    expect(messages).toEqual([{ type: 'token', body: token(0) }]);
  });

  it('takes binary as Node.js (Buffer) and as browsers (ArrayBuffer) deliver it', () => {
    const { channel, messages, faults } = coordinatorEnd(manualClock().schedule);
    const bytes = Uint8Array.from({ length: 20 }, (_, i) => i);
    const body = { job: JOB, to: PEER, epoch: 0 };
    channel.receive({ seq: 1, ack: 0, type: 'frame', body: { ...body, data: Buffer.from(bytes) } });
    channel.receive({ seq: 2, ack: 0, type: 'frame', body: { ...body, data: bytes.slice().buffer } });
    expect(faults).toEqual([]);
    for (const message of messages) {
      const { data } = message.body as FromNode['frame'];
      expect(data.constructor).toBe(Uint8Array);
      expect([...data]).toEqual([...bytes]);
    }
  });

  it('refuses a message whose handler throws, with its error', () => {
    const faults: Fault[] = [];
    const channel = createChannel<FromNode, FromCoordinator>({
      accepts: fromNode,
      onMessage: () => {
        throw new Error('bug');
      },
      onFault: (fault) => faults.push(fault),
      schedule: manualClock().schedule,
    });
    channel.receive({ seq: 1, ack: 0, type: 'withdraw', body: {} });
    expect(faults).toMatchObject([{ costs: 'message', about: 'withdraw', error: { code: 'INTERNAL' } }]);
    expect(channel.received).toBe(1);
  });

  it('acknowledges after a while, or after many messages, or with what it sends', () => {
    const clock = manualClock();
    const { channel } = nodeEnd(clock.schedule);
    const sent: Envelope[] = [];
    channel.attach({ send: (envelope) => sent.push(envelope) }, 0);
    let seq = 0;
    const receive = () => channel.receive({ seq: ++seq, ack: 0, type: 'jobClose', body: jobClose(seq) });
    receive();
    expect(sent).toEqual([]);
    clock.advance(ACK_AFTER_MS);
    expect(sent.splice(0)).toEqual([{ seq: 0, ack: 1 }]);
    for (let i = 0; i < ACK_EVERY_MESSAGES; i++) receive();
    expect(sent.splice(0)).toEqual([{ seq: 0, ack: 1 + ACK_EVERY_MESSAGES }]);
    receive();
    channel.send('withdraw', {});
    clock.advance(ACK_AFTER_MS);
    expect(sent).toEqual([{ seq: 1, ack: seq, type: 'withdraw', body: {} }]);
  });

  it('gives up a session whose outbox is full', () => {
    const { channel, faults } = nodeEnd(manualClock().schedule);
    for (let i = 0; i < MAX_OUTBOX_MESSAGES; i++) channel.send('withdraw', {});
    expect(faults).toEqual([]);
    channel.send('withdraw', {});
    expect(faults).toMatchObject([{ costs: 'session', error: { code: 'SESSION_OVERFLOW' } }]);
    expect(channel.canAttach(0)).toBe(false);
    channel.send('withdraw', {});
    expect(faults).toHaveLength(1);
  });

  it('counts the bytes of frames towards the bound', () => {
    const { channel, faults } = nodeEnd(manualClock().schedule);
    const data = new Uint8Array(200 * 1024);
    let sent = 0;
    while (faults.length === 0 && sent < 1000) {
      channel.send('frame', { job: JOB, to: PEER, epoch: 0, data });
      sent++;
    }
    expect(sent * data.length).toBeGreaterThan(31 * 2 ** 20);
    expect(sent * data.length).toBeLessThan(33 * 2 ** 20);
  });

  it('says when the peer cannot be made whole again', () => {
    const { channel } = nodeEnd(manualClock().schedule);
    channel.send('withdraw', {});
    channel.send('withdraw', {});
    channel.attach({ send: () => {} }, 1);
    expect(channel.canAttach(0)).toBe(false);
    expect(channel.canAttach(3)).toBe(false);
    expect(() => channel.attach({ send: () => {} }, 0)).toThrow(expect.objectContaining({ code: 'SESSION_LOST' }));
    expect(channel.canAttach(1)).toBe(true);
    expect(channel.canAttach(2)).toBe(true);
  });
});

const range = (count: number) => Array.from({ length: count }, (_, i) => i);
