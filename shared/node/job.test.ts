import { bytesToHex } from '@noble/hashes/utils.js';
import { describe, expect, it } from 'vitest';
import type { FromCoordinator, FromNode } from '../protocol/messages.ts';
import type { Sampler } from '../sampler/types.ts';
import { decodeFrame, encodeFrame } from '../tensor/frame.ts';
import { RowsDigest } from '../tensor/rows-digest.ts';
import { createBatcher } from './batcher.ts';
import type { DirectPort } from './direct/port.ts';
import { createJob, type Job, type JobMessage } from './job.ts';
import { PROGRESS_EVERY_MS, REPLAY_WINDOW_BYTES } from './limits.ts';
import { sumAnswer, sumStage, TIMING } from './testing.ts';

const JOB = '1f'.repeat(16);
const SAMPLING = { temperature: 0, topK: 0, topP: 1, repetitionPenalty: 1, seed: 0 };
const greedy: Sampler = { next: (logits) => logits.indexOf(Math.max(...logits)) };
const address = (name: string) => `alc1${name.repeat(58)}`;

type Sent = { [T in JobMessage]: { type: T; body: FromNode[T] } }[JobMessage];

function setUp(
  kind: Parameters<typeof sumStage>,
  {
    own = address('q'),
    next = address('p'),
    promptTokens = 3,
    has = 0,
    answered = [] as number[],
    exact = true,
    maxNewTokens = 10,
    contextLength = 400,
    eosTokens = [] as number[],
    direct = undefined as DirectPort | undefined,
    previous = undefined as FromCoordinator['jobOpen']['previous'],
  } = {},
) {
  const engine = sumStage(...kind);
  const sent: Sent[] = [];
  const last = kind[1] === 'logits';
  const open: FromCoordinator['jobOpen'] = {
    job: JOB,
    assignment: '2e'.repeat(16),
    next,
    epoch: 4,
    has: last ? promptTokens + answered.length : has,
    promptTokens,
    wire: 'f16',
    ...(previous && { previous }),
    ...(last && { sample: { sampling: SAMPLING, maxNewTokens, prompt: [], answered } }),
  };
  const job = createJob({
    open,
    stage: engine.stage,
    batcher: createBatcher({ stage: engine.stage, ...TIMING }),
    shape: engine.shape,
    contextLength,
    eosTokens,
    exact,
    address: own,
    send: (type, body) => sent.push({ type, body } as Sent),
    onStep: () => {},
    now: () => 0,
    startAfter: Promise.resolve(),
    ...(direct && { direct }),
    ...(last && { sampler: greedy }),
  });
  return { job, sent, ...engine };
}

const head = { job: JOB, sequence: 0, position: 0, sampleAfter: true };
const prompt = (ids: number[], changes: object = {}) =>
  encodeFrame({ ...head, kind: 'tokens', ids: Int32Array.from(ids), ...changes });
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
    expect(tokensOf(sent)).toEqual(expected.map((token, index) => ({ job: JOB, index, token })));
  });

  it('commits to what has arrived when all of it has run, however late that is', async () => {
    const { job, sent } = setUp(['tokens', 'hidden'], { promptTokens: 3 });
    job.accept(prompt([1, 2, 4]));
    job.audit({ job: JOB, rows: 3, receivedFrom: 0, sentFrom: 0 });
    await idle(job);
    const digest = new RowsDigest(4);
    digest.put(0, new Uint8Array(Int32Array.of(1, 2, 4).buffer));
    expect(sent.at(-1)).toMatchObject({ type: 'commitment', body: { received: bytesToHex(digest.digest(0, 3)) } });
  });

  it('computes a long prompt in steps that keep their order and ask for one token at the end', async () => {
    const { job, sent, log } = setUp(['tokens', 'hidden'], { promptTokens: 300 });
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
    ).map((kind, i) => setUp([...kind], { own: names[i]!, next: names[(i + 1) % 3]!, promptTokens: 2 }));
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
      { job: JOB, index: 1, token: second },
    ]);
    const full = setUp(['tokens', 'logits'], { next: address('q'), contextLength: 4 });
    full.job.accept(prompt([1, 2, 4]));
    await idle(full.job);
    expect(tokensOf(full.sent).at(-1)).toMatchObject({ index: 1 });
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
    const { job, sent, caches, log } = setUp(['tokens', 'logits'], {
      next: address('q'),
      promptTokens: 1,
      maxNewTokens: 1000,
    });
    job.accept(prompt([1]));
    while (tokensOf(sent).length < 3) await Promise.resolve();
    const before = sent.length;
    await job.close();
    expect(sent.length).toBe(before);
    expect(caches.size).toBe(0);
    expect(log.at(-1)).toBe('drop');
  });
});

describe('a job whose neighbours are replaced', () => {
  const ids = Array.from({ length: 20 }, (_, i) => (7 * i) % 50);
  const single = (position: number) => prompt([ids[position]!], { position });
  const spans = (sent: Sent[]) =>
    framesOf(sent).map((frame) => [frame.position, frame.kind === 'hidden' ? frame.rows : frame.ids.length]);

  it('sends what it sent before to the successor’s replacement, in as few frames as fit, with the new epoch', async () => {
    const { job, sent, log } = setUp(['tokens', 'hidden']);
    job.accept(prompt(ids.slice(0, 3)));
    for (const position of [3, 4, 5]) job.accept(single(position));
    await idle(job);
    const before = [...log];
    sent.length = 0;
    job.link.relink({ next: address('z'), epoch: 5, has: 0 });
    expect(sent).toMatchObject([{ type: 'frame', body: { to: address('z'), epoch: 5 } }]);
    const [frame] = framesOf(sent);
    expect(frame).toMatchObject({ kind: 'hidden', position: 0, rows: 6, sequence: 0, sampleAfter: true });
    expect(frame!.kind === 'hidden' && [...frame!.data]).toEqual(ids.slice(0, 6).flatMap((id) => [id, id]));
    job.accept(single(6));
    await idle(job);
    expect(log, 'nothing is computed twice').toEqual([...before, '6+1']);
    expect(spans(sent)).toEqual([
      [0, 6],
      [6, 1],
    ]);
  });

  it('asks for no token after a part of the prompt', async () => {
    const { job, sent } = setUp(['tokens', 'hidden'], { promptTokens: 10 });
    job.accept(prompt(ids.slice(0, 5), { sampleAfter: false }));
    await idle(job);
    job.link.relink({ next: address('z'), epoch: 5, has: 0 });
    job.accept(prompt(ids.slice(5, 10), { position: 5 }));
    await idle(job);
    expect(framesOf(sent).map(({ sampleAfter }) => sampleAfter)).toEqual([false, false, true]);
  });

  it('sends a long journal in pieces, and goes on when the other has run what it got', async () => {
    const bytesPerRow = 4;
    const held = REPLAY_WINDOW_BYTES / bytesPerRow + 1000;
    const { job, sent } = setUp(['tokens', 'hidden'], { promptTokens: held + 1, contextLength: held + 1 });
    for (let position = 0; position < held; position += 32_768) {
      job.accept(prompt(Array(Math.min(32_768, held - position)).fill(1), { position, sampleAfter: false }));
    }
    await idle(job);
    while (framesOf(sent.slice(-1))[0]!.position + 128 < held) await idle(job);
    sent.length = 0;
    job.link.relink({ next: address('z'), epoch: 5, has: 0 });
    const first = sent.length;
    expect(sent.map(({ body }) => 'more' in body)).toEqual([...Array(first - 1).fill(false), true]);
    // What is computed meanwhile waits its turn.
    job.accept(prompt([1], { position: held, sampleAfter: false }));
    await idle(job);
    expect(sent).toHaveLength(first);
    // The replacement is lost before it has run that: the next one gets all of it.
    job.link.relink({ next: address('x'), epoch: 6, has: 0 });
    expect(spans(sent.slice(first))).toEqual(spans(sent.slice(0, first)));
    sent.splice(0, first);
    job.link.more();
    const all = spans(sent);
    expect(sent.some(({ body }, i) => i >= first && 'more' in body)).toBe(false);
    expect(all.reduce((end, [position, count]) => (position === end ? end + count! : -1), 0)).toBe(held + 1);
  });

  it('tells its predecessor that it has run a piece, when that asked', async () => {
    const { job, sent } = setUp(['hidden', 'hidden']);
    const data = encodeFrame({ ...head, kind: 'hidden', rows: 3, data: new Float32Array(6) }, 'f16');
    job.accept(data, true);
    await idle(job);
    expect(sent.map(({ type }) => type)).toEqual(['frame', 'more']);
  });

  it('as a replacement computes all rows, those after the prompt one by one, and sends only what is missing', async () => {
    for (const exact of [true, false]) {
      const { job, sent, log } = setUp(['tokens', 'hidden'], { has: 5, exact });
      job.accept(prompt(ids.slice(0, 7)));
      await idle(job);
      expect(log).toEqual(exact ? ['0+3', '3+1', '4+1', '5+1', '6+1'] : ['0+7']);
      expect(spans(sent)).toEqual(
        exact
          ? [
              [5, 1],
              [6, 1],
            ]
          : [[5, 2]],
      );
      // Its own successor may be lost next: it can give that everything.
      sent.length = 0;
      job.link.relink({ next: address('z'), epoch: 6, has: 0 });
      expect(spans(sent)).toEqual([[0, 7]]);
    }
  });

  it('as a last stage goes on after what was answered', async () => {
    const answer = sumAnswer([1, 2, 4], 10);
    const { job, sent } = setUp(['tokens', 'logits'], { next: address('q'), answered: answer.slice(0, 4) });
    job.accept(prompt([1, 2, 4, ...answer.slice(0, 4)]));
    await idle(job);
    expect(tokensOf(sent).map(({ index, token }) => [index, token])).toEqual(
      answer.map((token, index) => [index, token]).slice(4),
    );
  });

  it('as a last stage does not answer again what the first stage has not read yet', async () => {
    const answer = sumAnswer([1, 2, 4], 10);
    const { job, sent } = setUp(['tokens', 'logits'], { answered: answer.slice(0, 4) });
    // Without the fourth token, which the coordinator gives to the first stage.
    job.accept(prompt([1, 2, 4, ...answer.slice(0, 3)]));
    await idle(job);
    expect(sent).toEqual([]);
    job.accept(prompt([answer[3]!], { position: 6 }));
    await idle(job);
    expect(sent).toMatchObject([
      { type: 'token', body: { index: 4, token: answer[4] } },
      { type: 'frame', body: { epoch: 4 } },
    ]);
    sent.length = 0;
    job.link.relink({ next: address('z'), epoch: 9, has: 7 });
    expect(sent).toMatchObject([{ type: 'frame', body: { to: address('z'), epoch: 9 } }]);
    expect(spans(sent)).toEqual([[7, 1]]);
  });

  it('answers each row of a replay that was not answered before', async () => {
    // The first stage got token 7 directly from a last stage whose word to the coordinator was lost.
    for (const exact of [true, false]) {
      const { job, sent } = setUp(['tokens', 'logits'], { promptTokens: 3, answered: [6], exact });
      job.accept(prompt([1, 2, 3, 6, 12]));
      await idle(job);
      expect(tokensOf(sent).map(({ index, token }) => [index, token])).toEqual([
        [1, 12],
        [2, 24],
      ]);
      await job.close();
    }
  });
});

describe('job with a direct link', () => {
  const others = [address('z'), address('p')] as const;

  function linked(options: Parameters<typeof setUp>[1] = {}) {
    const said: { to: string; type: string; body: { rows?: number; epoch: number } }[] = [];
    let nowMs = 0;
    const direct = {
      isOpen: () => true,
      state: () => ({ preferred: true, writable: true }),
      send: (to: string, type: string, body: object) => void said.push({ to, type, body: body as never }),
      now: () => nowMs,
    };
    const it = setUp(['tokens', 'hidden'], { ...options, direct, previous: { node: others[0], epoch: 4 } });
    return { ...it, said, pass: (ms: number) => (nowMs += ms) };
  }

  it('tells its predecessor what has arrived, and computes rows once that come twice', async () => {
    const { job, said, log } = linked();
    job.welcome();
    job.accept(prompt([1, 2, 3]));
    job.accept(prompt([2, 3, 6], { position: 1 }));
    job.accept(prompt([1, 2, 3]));
    job.welcome();
    await idle(job);
    expect(said).toEqual([
      { to: others[0], type: 'has', body: { job: JOB, epoch: 4, rows: 0 } },
      { to: others[0], type: 'has', body: { job: JOB, epoch: 4, rows: 4 } },
    ]);
    expect(log).toEqual(['0+3', '3+1']);
  });

  it('lets rows wait for those before them, and counts what waits', async () => {
    const { job, log } = linked();
    job.accept(prompt([6], { position: 3 }));
    expect(job.queuedBytes).toBeGreaterThan(0);
    job.accept(prompt([1, 2, 3]));
    await idle(job);
    expect(log).toEqual(['0+3', '3+1']);
  });

  it('sends directly once its successor takes it, and again over the relay what was lost', async () => {
    const { job, said, sent } = linked();
    job.accept(prompt([1, 2, 3]));
    await idle(job);
    job.link.has({ epoch: 4, rows: 3 }, true);
    job.accept(prompt([6], { position: 3 }));
    await idle(job);
    expect(said.at(-1)).toMatchObject({ to: others[1], type: 'frame' });
    expect(framesOf(sent).map(({ position }) => position)).toEqual([0]);
    job.link.cut();
    expect(framesOf(sent).map(({ position }) => position)).toEqual([0, 3]);
  });

  it('tells the coordinator now and then that it goes on, and when it is asked', async () => {
    const { job, sent, said, pass } = linked();
    job.accept(prompt([1, 2, 3]));
    await idle(job);
    const rows = () => sent.flatMap((each) => (each.type === 'jobRows' ? [each.body] : []));
    expect(rows()).toEqual([]);
    pass(PROGRESS_EVERY_MS);
    job.accept(prompt([6], { position: 3 }));
    await idle(job);
    expect(rows()).toEqual([{ job: JOB, epoch: 4, rows: 4 }]);
    job.follow({ epoch: 6 });
    expect(rows()).toHaveLength(2);
    expect(rows()[1]).toEqual({ job: JOB, epoch: 6, rows: 4 });
    const before = said.length;
    job.welcome();
    expect(said, 'the new predecessor has no direct link').toHaveLength(before);
  });
});
