import { expect, test } from 'vitest';
import { memoryStore, type ParameterStore } from './codec/store.ts';
import { type Buffers, ReadAhead, WriteBehind } from './streams.ts';

const buffers = (): Buffers => [new Float32Array(4), new Float32Array(4)];

/** A store whose reads and writes wait until they are let go. */
function slowStore(values: Float32Array) {
  const store = memoryStore(values);
  const waiting: (() => void)[] = [];
  const begun: string[] = [];
  const later = async (what: string, work: () => Promise<void>) => {
    begun.push(what);
    await new Promise<void>((resolve) => waiting.push(resolve));
    await work();
  };
  const slow: ParameterStore = {
    read: (start, into) => later(`read ${start}`, () => store.read(start, into)),
    write: (start, from) => later(`write ${start}`, () => store.write(start, from)),
  };
  const letGo = () => {
    for (const go of waiting.splice(0)) go();
  };
  return { slow, begun, letGo };
}

test('the next values are read while the ones before are used', async () => {
  const { slow, begun, letGo } = slowStore(Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7));
  const selections = [
    [{ start: 1, length: 2 }],
    [
      { start: 6, length: 1 },
      { start: 0, length: 2 },
    ],
    [{ start: 3, length: 1 }],
  ];
  const reads = new ReadAhead(slow, selections, buffers());
  letGo();
  const first = await reads.next();
  expect([...first]).toEqual([1, 2]);
  expect(begun).toEqual(['read 1', 'read 6', 'read 0']);
  letGo();
  await reads.settled();
  expect([...first]).toEqual([1, 2]);
  expect([...(await reads.next())]).toEqual([6, 0, 1]);
  letGo();
  expect([...(await reads.next())]).toEqual([3]);
  await expect(reads.next()).rejects.toThrow(RangeError);
});

test('an array is given out again when it is written', async () => {
  const values = new Float32Array(6);
  const { slow, begun, letGo } = slowStore(values);
  const writes = new WriteBehind(slow, buffers());
  for (const start of [0, 2]) {
    const array = await writes.take(2);
    array.fill(1 + start);
    writes.write(start, array);
  }
  let taken = false;
  const third = writes.take(2).then((array) => {
    taken = true;
    return array;
  });
  await Promise.resolve();
  expect({ begun, taken }).toEqual({ begun: ['write 0', 'write 2'], taken: false });
  letGo();
  writes.write(4, (await third).fill(5));
  letGo();
  await writes.finish();
  expect([...values]).toEqual([1, 1, 3, 3, 5, 5]);
});

test('what a store throws comes out where it is waited for', async () => {
  const store: ParameterStore = {
    read: () => Promise.reject(new Error('no disk')),
    write: () => Promise.reject(new Error('no room')),
  };
  const reads = new ReadAhead(store, [[{ start: 0, length: 1 }]], buffers());
  await expect(reads.next()).rejects.toThrow('no disk');
  const writes = new WriteBehind(store, buffers());
  writes.write(0, await writes.take(1));
  await expect(writes.finish()).rejects.toThrow('no room');
});
