import { MessageChannel } from 'node:worker_threads';
import { afterEach, expect, test } from 'vitest';
import { filesOverPort } from './file-client.ts';
import { type Folder, type SyncFile, serveFiles } from './file-serve.ts';
import type { Port } from './rpc.ts';

/** As OPFS, in memory, with room for so many bytes a file. */
function folderOf(room: number): Folder {
  const contents = new Map<string, number[]>();
  return {
    async getFileHandle(name) {
      const bytes = contents.get(name) ?? [];
      contents.set(name, bytes);
      const file: SyncFile = {
        read(into, { at }) {
          const there = bytes.slice(at, at + into.length);
          into.set(there);
          return there.length;
        },
        write(from, { at }) {
          if (at + from.length > room) throw new Error('No space.');
          for (const [index, byte] of from.entries()) bytes[at + index] = byte;
          return from.length;
        },
        truncate: (length) => void bytes.splice(length),
        flush() {},
        close() {},
      };
      return { createSyncAccessHandle: async () => file };
    },
  };
}

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function filesIn(folder: Folder, wait?: () => Promise<void>) {
  const { port1, port2 } = new MessageChannel();
  for (const port of [port1, port2]) port.start();
  serveFiles(port2 as unknown as Port, async () => folder, wait);
  closing.push(() => port1.close());
  return filesOverPort(port1 as unknown as Port, () => port1.close()).files('tiny');
}

const shared = (...bytes: number[]) => {
  const array = new Uint8Array(new SharedArrayBuffer(bytes.length));
  array.set(bytes);
  return array;
};

test('bytes come back, from and into memory that is shared or not, and zeros from beyond the end', async () => {
  const files = await filesIn(folderOf(100));
  const file = await files.open('a');
  await file.write(2, Uint8Array.of(9, 1, 2, 9).subarray(1, 3));
  await file.write(4, shared(3, 4));
  await file.flush();
  for (const into of [new Uint8Array(6).fill(7), shared(7, 7, 7, 7, 7, 7)]) {
    await file.read(1, into);
    expect([...into]).toEqual([0, 1, 2, 3, 4, 0]);
  }
  await files.clear('a');
  const again = new Uint8Array(3).fill(7);
  await file.read(2, again);
  expect([...again]).toEqual([0, 0, 0]);
  await files.close();
});

test('what the disk refuses is said', async () => {
  const file = await (await filesIn(folderOf(3))).open('a');
  await expect(file.write(2, Uint8Array.of(1, 2))).rejects.toMatchObject({
    code: 'STATE_NOT_STORED',
    message: expect.stringContaining('No space'),
  });
});

test('a file that another worker still holds is waited for, but not for ever', async () => {
  for (const heldFor of [3, 1000]) {
    let waits = 0;
    const folder: Folder = {
      async getFileHandle(name, options) {
        const handle = await folderOf(10).getFileHandle(name, options);
        return {
          async createSyncAccessHandle() {
            if (waits < heldFor) throw new DOMException('It is open.', 'NoModificationAllowedError');
            return handle.createSyncAccessHandle();
          },
        };
      },
    };
    const opening = (await filesIn(folder, async () => void waits++)).open('a');
    if (heldFor === 3) await expect(opening).resolves.toBeDefined();
    else await expect(opening).rejects.toMatchObject({ code: 'STATE_NOT_STORED' });
  }
});
