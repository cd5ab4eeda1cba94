import { describe, expect, it } from 'vitest';
import type { FromCoordinator, FromNode } from '../protocol/messages.ts';
import type { Sampler } from '../sampler/types.ts';
import { decodeFrame, encodeFrame } from '../tensor/frame.ts';
import { createJob, type Job } from './job.ts';
import { sumAnswer, sumStage } from './testing.ts';

const JOB = '1f'.repeat(16);
const SAMPLING = { temperature: 0, topK: 0, topP: 1, repetitionPenalty: 1, seed: 0 };
const greedy: Sampler = { next: (logits) => logits.indexOf(Math.max(...logits)) };
const address = (name: string) => `alc1${name.repeat(58)}`;

type Sent = { [T in 'frame' | 'token' | 'jobFailed']: { type: T; body: FromNode[T] } }['frame' | 'token' | 'jobFailed'];

function setUp(
  kind: Parameters<typeof sumStage>,
  { own = address('q'), next = address('p'), maxNewTokens = 10, contextLength = 100, eosTokens = [] as number[] } = {},
) {
  const engine = sumStage(...kind);
  const sent: Sent[] = [];
  const last = kind[1] === 'logits';
  const open: FromCoordinator['jobOpen'] = {
    job: JOB,
    assignment: '2e'.repeat(16),
    next,
    wire: 'f16',
    ...(last && { sample: { sampling: SAMPLING, maxNewTokens, prompt: [] } }),
  };
  const job = createJob({
    open,
    stage: engine.stage,
    shape: engine.shape,
    contextLength,
    eosTokens,
    address: own,
    send: (type, body) => sent.push({ type, body } as Sent),
    onStep: () => {},
    startAfter: Promise.resolve(),
    ...(last && { sampler: greedy }),
  });
  return { job, sent, ...engine };
}

const prompt = (ids: number[], changes: object = {}) =>
  encodeFrame({
    job: JOB,
    sequence: 0,
    position: 0,
    sampleAfter: true,
    kind: 'tokens',
    ids: Int32Array.from(ids),
    ...changes,
  });
const idle = async (job: Job) => {
  while (job.queuedBytes > 0) await new Promise((resolve) => setTimeout(resolve));
  await new Promise((resolve) => setTimeout(resolve));
};
const framesOf = (sent: Sent[]) => sent.flatMap((each) => (each.type === 'frame' ? [decodeFrame(each.body.data)] : []));
const tokensOf = (sent: Sent[]) => sent.flatMap((each) => (each.type === 'token' ? [each.body] : []));

describe('job', () => {
  it('answers alone, handing its tokens to itself', async () => {
    const { job, sent } = setUp(['tokens', 'logits'], { next: address('q'), maxNewTokens: 5 });
    job.accept(prompt([1, 2, 4]));
    await idle(job);
    const expected = sumAnswer([1, 2, 4], 5);
    expect(sent.map(({ type }) => type)).toEqual(Array(5).fill('token'));
    expect(tokensOf(sent)).toEqual(
      expected.map((token, index) => ({ job: JOB, index, token, ...(index === 4 && { finish: 'length' }) })),
    );
  });

  it('computes a long prompt in steps that keep their order and ask for one token at the end', async () => {
    const { job, sent, log } = setUp(['tokens', 'hidden']);
    const ids = Array.from({ length: 300 }, (_, i) => i % 50);
    job.accept(prompt(ids));
    await idle(job);
    expect(log).toEqual(['0+128', '128+128', '256+44']);
    const frames = framesOf(sent);
    expect(frames.map(({ position, sequence, sampleAfter }) => [position, sequence, sampleAfter])).toEqual([
      [0, 0, false],
      [128, 1, false],
      [256, 2, true],
    ]);
    expect(frames.flatMap((frame) => (frame.kind === 'hidden' ? [...frame.data] : []))).toEqual(
      ids.flatMap((id) => [id, id]),
    );
    expect(sent.every(({ body }) => 'to' in body && body.to === address('p'))).toBe(true);
  });

  it('makes the same answer over three stages as over one', async () => {
    const names = ['q', 'p', 'z'].map(address) as [string, string, string];
    const stages = (
      [
        ['tokens', 'hidden'],
        ['hidden', 'hidden'],
        ['hidden', 'logits'],
      ] as const
    ).map((kind, i) => setUp([...kind], { own: names[i]!, next: names[(i + 1) % 3]! }));
    stages[0]!.job.accept(prompt([3, 9]));
    const relayed = [0, 0, 0];
    for (let round = 0; round < 100; round++) {
      for (const [i, { sent, job }] of stages.entries()) {
        await idle(job);
        const frames = sent.filter(({ type }) => type === 'frame');
        for (const frame of frames.slice(relayed[i]!)) {
          const { to, data } = frame.body as FromNode['frame'];
          stages[names.indexOf(to)]!.job.accept(data);
        }
        relayed[i] = frames.length;
      }
    }
    expect(tokensOf(stages[2]!.sent).map(({ token }) => token)).toEqual(sumAnswer([3, 9], 10));
  });

  it('stops at the end-of-text token, and where the context is full', async () => {
    const [first, second] = sumAnswer([1, 2, 4], 2) as [number, number];
    const stopped = setUp(['tokens', 'logits'], { next: address('q'), eosTokens: [second] });
    stopped.job.accept(prompt([1, 2, 4]));
    await idle(stopped.job);
    expect(tokensOf(stopped.sent)).toEqual([
      { job: JOB, index: 0, token: first },
      { job: JOB, index: 1, token: second, finish: 'stop' },
    ]);
    const full = setUp(['tokens', 'logits'], { next: address('q'), contextLength: 4 });
    full.job.accept(prompt([1, 2, 4]));
    await idle(full.job);
    expect(tokensOf(full.sent).at(-1)).toMatchObject({ index: 1, finish: 'length' });
  });

  it.each([
    ['noise', () => new Uint8Array(64).fill(7), 'FRAME_INVALID'],
    ['a frame of another job', () => prompt([1], { job: '00'.repeat(16) }), 'FRAME_INVALID'],
    ['a token that the model does not have', () => prompt([1, 50]), 'FRAME_INVALID'],
    ['a frame for another position', () => prompt([1], { position: 4 }), 'POSITION_INVALID'],
  ])('fails on %s, once, and takes nothing more', async (_, bad, code) => {
    const { job, sent, log } = setUp(['tokens', 'hidden']);
    job.accept(bad());
    job.accept(bad());
    job.accept(prompt([1]));
    await idle(job);
    expect(sent).toMatchObject([{ type: 'jobFailed', body: { job: JOB, error: { code } } }]);
    expect(log).toEqual([]);
  });

  it('frees its cache when it is closed, after the running step, and says nothing more', async () => {
    const { job, sent, caches, log } = setUp(['tokens', 'logits'], { next: address('q'), maxNewTokens: 1000 });
    job.accept(prompt([1]));
    while (tokensOf(sent).length < 3) await Promise.resolve();
    const before = sent.length;
    await job.close();
    expect(sent.length).toBe(before);
    expect(caches.size).toBe(0);
    expect(log.at(-1)).toBe('drop');
  });
});
