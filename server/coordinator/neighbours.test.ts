import { expect, test } from 'vitest';
import { type Job, NO_JOBS } from './job.ts';
import { mayLink } from './neighbours.ts';
import type { Pool } from './pool.ts';

const holders = (...nodes: string[]) => nodes.map((node) => ({ node }));
const pool = (...stages: string[][]) =>
  ({
    nodes: new Map(),
    rooms: new Map([['m', { stages: stages.map((s) => ({ holders: holders(...s) })) }]]),
  }) as unknown as Pool;
const running = (...stages: { node: string; vacant?: object }[]) => ({
  ...NO_JOBS,
  running: new Map([['j', { stages } as unknown as Job]]),
});

test('those may be linked who hold the same stage of a room or stages that follow each other, the last and the first too', () => {
  const room = pool(['a', 'a2'], ['b'], ['c']);
  for (const [x, y] of ['ab', 'ba', 'a2b', 'bc', 'ca', 'ca2'].map((pair) => [
    pair.replace(/.2?$/, ''),
    /.2?$/.exec(pair)![0],
  ])) {
    expect(mayLink(room, NO_JOBS, x!, y!), `${x} ${y}`).toBe(true);
  }
  expect(mayLink(room, NO_JOBS, 'a', 'a2'), 'of one stage').toBe(true);
  expect(mayLink(room, NO_JOBS, 'a', 'stranger')).toBe(false);
  expect(mayLink(pool(['a']), NO_JOBS, 'a', 'a'), 'with itself').toBe(false);
  expect(mayLink(pool(['a'], ['b'], ['c'], ['d']), NO_JOBS, 'a', 'c')).toBe(false);
});

test('neighbours of a job may have left the plan of its room, but not the job', () => {
  const empty = pool();
  expect(mayLink(empty, running({ node: 'a' }, { node: 'b' }), 'b', 'a')).toBe(true);
  expect(mayLink(empty, running({ node: 'a' }, { node: 'b', vacant: {} }), 'a', 'b')).toBe(false);
});
