import { expect, it } from 'vitest';
import { AiloError } from '../errors/index.ts';
import { memorySource } from './memory-source.ts';
import { inOrder, type Ranges } from './sources.ts';

const broken = (reason: string) => AiloError.of('MODEL_SOURCE_FAILED', { path: 'x', reason });

function setUp() {
  let nowMs = 0;
  const [first, second] = [memorySource({}), memorySource({})];
  const sources = inOrder([first, second], () => nowMs);
  let down = new Set<Ranges>([first]);
  const asked: string[] = [];
  const ask = () =>
    sources.try(async (source) => {
      const name = source === first ? 'first' : 'second';
      asked.push(name);
      if (down.has(source)) throw broken(name);
      return name;
    });
  return {
    ...{ first, second, ask, asked, sources },
    pass: (ms: number) => {
      nowMs += ms;
    },
    setDown: (...which: (typeof first)[]) => {
      down = new Set(which);
    },
  };
}

it('asks the next where one fails, and the failed one not again for a while, each time longer', async () => {
  const { ask, asked, pass, setDown } = setUp();
  for (let i = 0; i < 3; i++) expect(await ask()).toBe('second');
  expect(asked).toEqual(['first', 'second', 'second', 'second']);
  pass(1000);
  await ask();
  expect(asked.splice(0)).toEqual(['first', 'second', 'second', 'second', 'first', 'second']);
  pass(1000);
  await ask();
  expect(asked.splice(0)).toEqual(['second']);
  pass(1000);
  setDown();
  expect(await ask()).toBe('first');
  setDown();
  expect(await ask()).toBe('first');
});

it('asks all where none is good, and says what the first one said', async () => {
  const { ask, asked, first, second, setDown } = setUp();
  setDown(first, second);
  await expect(ask()).rejects.toThrow('first');
  await expect(ask()).rejects.toThrow('first');
  expect(asked).toEqual(['first', 'second', 'first', 'second']);
});

it('blames nobody for being cancelled', async () => {
  const { sources, first } = setUp();
  const asked: unknown[] = [];
  const stop = new AbortController();
  const work = sources.try(async (source) => {
    asked.push(source);
    stop.abort();
    throw broken('aborted');
  }, stop.signal);
  await expect(work).rejects.toMatchObject({ code: 'CANCELLED' });
  await sources.try(async (source) => asked.push(source));
  expect(asked).toEqual([first, first]);
});
