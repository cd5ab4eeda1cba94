import { describe, expect, it } from 'vitest';
import type { LoadedStage, StageOutput, StageStep } from '../runtime/types.ts';
import { createBatcher } from './batcher.ts';
import { MIN_PIECE_ROWS } from './limits.ts';
import { TIMING } from './testing.ts';

/** A stage whose runs end when the test says so. Its outputs name the step: [first id, position, rows]. */
function setUp({ refuses = '' } = {}) {
  const runs: string[][] = [];
  const ends: (() => void)[] = [];
  const stage: LoadedStage = {
    lanes: 4,
    async run(steps) {
      runs.push(steps.map(({ sequence, position, input }) => `${sequence}${position}+${rowsOf(input)}`));
      await new Promise<void>((resolve) => ends.push(resolve));
      if (steps.some(({ sequence }) => sequence === refuses)) throw new Error(`${refuses} is refused`);
      return steps.map(
        ({ position, input, logits = 1 }): StageOutput => ({
          kind: 'logits',
          rows: logits,
          data: Float32Array.of((input as { ids: Int32Array }).ids[0]!, position, rowsOf(input)),
        }),
      );
    },
    drop: async () => {},
    release: async () => {},
  };
  const batcher = createBatcher({ stage, ...TIMING });
  const delivered: string[] = [];
  const run = (sequence: string, position: number, rows: number) =>
    batcher.run(step(sequence, position, rows), ({ rows: logits, data }, count) =>
      delivered.push(`${sequence}: ${[...data]} ${count} ${logits}`),
    );
  const next = async () => {
    await settled();
    ends.shift()!();
    await settled();
  };
  return { batcher, run, runs, next, delivered };
}

const step = (sequence: string, position: number, rows: number): StageStep => ({
  sequence,
  position,
  input: { kind: 'tokens', ids: Int32Array.from({ length: rows }, (_, row) => position + row) },
});
const rowsOf = (input: StageStep['input']) => (input.kind === 'tokens' ? input.ids.length : input.rows);
const settled = () => new Promise((resolve) => setTimeout(resolve));

describe('a batcher', () => {
  it('runs together what has come while the stage was busy', async () => {
    const { run, runs, next, delivered } = setUp();
    const all = [run('a', 0, 1), settled().then(() => run('b', 5, 1)), settled().then(() => run('c', 2, 2))];
    await settled();
    await next();
    await next();
    await Promise.all(all);
    expect(runs).toEqual([['a0+1'], ['b5+1', 'c2+2']]);
    expect(delivered).toEqual(['a: 0,0,1 1 1', 'b: 5,5,1 1 1', 'c: 2,2,2 2 1']);
  });

  it('cuts a prompt while another decodes, and hands on each piece; only the last has logits', async () => {
    const { run, runs, next, delivered } = setUp();
    const decoding = run('a', 0, 1);
    await next();
    await decoding;
    const prompt = run('b', 0, 2 * MIN_PIECE_ROWS + 8);
    await next();
    const second = run('a', 1, 1);
    await next();
    await next();
    await Promise.all([prompt, second]);
    const most = MIN_PIECE_ROWS;
    expect(runs).toEqual([['a0+1'], [`b0+${most}`], [`b${most}+${most}`], [`b${2 * most}+8`, 'a1+1']]);
    const ofPrompt = delivered.filter((line) => line.startsWith('b'));
    expect(ofPrompt.map((line) => line.split(' ').slice(-2))).toEqual([
      [`${most}`, '0'],
      [`${most}`, '0'],
      ['8', '1'],
    ]);
  });

  it('lets a step that the stage refuses fail alone', async () => {
    const { run, runs, next, delivered } = setUp({ refuses: 'b' });
    const [a, b, c] = [run('a', 0, 1), run('b', 0, 1), run('c', 0, 1)];
    const failed = expect(b).rejects.toThrow('b is refused');
    for (let i = 0; i < 4; i++) await next();
    await Promise.all([a, failed, c]);
    expect(runs).toEqual([['a0+1', 'b0+1', 'c0+1'], ['a0+1'], ['b0+1'], ['c0+1']]);
    expect(delivered).toEqual(['a: 0,0,1 1 1', 'c: 0,0,1 1 1']);
  });

  it('rejects with what the receiver throws, and goes on', async () => {
    const { batcher, run, next } = setUp();
    const thrown = batcher.run(step('a', 0, 1), () => {
      throw new Error('no thanks');
    });
    const failed = expect(thrown).rejects.toThrow('no thanks');
    await next();
    await failed;
    const b = run('b', 0, 1);
    await next();
    await b;
  });

  it('forgets the steps of a sequence, the one that runs too', async () => {
    const { batcher, run, runs, next, delivered } = setUp();
    const a = run('a', 0, 1);
    await settled();
    const b = run('b', 0, 1);
    batcher.forget('a');
    batcher.forget('b');
    await Promise.all([a, b]);
    await next();
    expect(runs).toEqual([['a0+1']]);
    expect(delivered).toEqual([]);
  });
});

describe('a stage that is free', () => {
  it('waits a moment for what ran together last time', async () => {
    const timers: { run: () => void; ms: number }[] = [];
    let nowMs = 0;
    const runs: string[][] = [];
    const stage: LoadedStage = {
      lanes: 4,
      async run(steps) {
        runs.push(steps.map(({ sequence }) => sequence));
        nowMs += 100;
        return steps.map((): StageOutput => ({ kind: 'logits', rows: 1, data: new Float32Array(1) }));
      },
      drop: async () => {},
      release: async () => {},
    };
    const schedule = (run: () => void, ms: number) => {
      timers.push({ run, ms });
      return () => {};
    };
    const batcher = createBatcher({ stage, afterArrivals: async () => {}, now: () => nowMs, schedule });
    const run = (sequence: string, position: number) => batcher.run(step(sequence, position, 1), () => {});
    await Promise.all([run('a', 0), run('b', 0), run('c', 0)]);
    const again = [run('a', 1)];
    await settled();
    again.push(run('b', 1));
    await settled();
    expect(runs).toEqual([['a', 'b', 'c']]);
    again.push(run('c', 1));
    await Promise.all(again);
    expect(runs).toEqual([
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
    ]);
    expect(timers.map(({ ms }) => ms)).toEqual([10]);

    const late = run('a', 2);
    await settled();
    expect(runs).toHaveLength(2);
    timers.at(-1)!.run();
    await late;
    expect(runs.at(-1)).toEqual(['a']);
    await Promise.all([run('b', 2), run('c', 2)]);
    expect(timers).toHaveLength(2);
  });
});
