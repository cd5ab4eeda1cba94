import { expect, it } from 'vitest';
import { createEventQueue, type EventQueue } from './queue.ts';

async function collect<T>(queue: EventQueue<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of queue) items.push(item);
  return items;
}

it('delivers what was pushed before and while somebody reads, in order', async () => {
  const queue = createEventQueue<number>();
  queue.push(1);
  queue.push(2);
  const read = collect(queue);
  await Promise.resolve();
  queue.push(3);
  await new Promise((resolve) => setTimeout(resolve));
  queue.push(4);
  queue.end();
  queue.push(5);
  expect(await read).toEqual([1, 2, 3, 4]);
});

it('throws the first error after what came before it', async () => {
  const queue = createEventQueue<number>();
  const seen: number[] = [];
  const read = (async () => {
    for await (const item of queue) seen.push(item);
  })();
  queue.push(1);
  queue.end(new Error('first'));
  queue.end(new Error('second'));
  await expect(read).rejects.toThrow('first');
  expect(seen).toEqual([1]);
});
