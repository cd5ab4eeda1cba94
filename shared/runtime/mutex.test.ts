import { expect, test } from 'vitest';
import { Mutex } from './mutex.ts';

test('tasks never overlap and keep their order, also after a failure', async () => {
  const mutex = new Mutex();
  const events: string[] = [];
  const task = (name: string, fail = false) =>
    mutex.run(async () => {
      events.push(`${name} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      events.push(`${name} ends`);
      if (fail) throw new Error(name);
      return name;
    });
  const results = await Promise.allSettled([task('a'), task('b', true), task('c')]);
  expect(events).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
});
