import 'fake-indexeddb/auto';
import { afterAll, beforeEach, expect, it } from 'vitest';
import { sha256Hex } from '../../shared/bytes/sha256.ts';
import { indexedDbChunks } from './chunk-store.ts';
import { openDatabase } from './database.ts';

const database = openDatabase();
const chunks = indexedDbChunks(database);
const bytes = new Uint8Array([1, 2, 3, 4]);

beforeEach(() => database.chunks.clear());
afterAll(() => database.close());

it('gives back what it was given, and nothing it was not', async () => {
  const hash = await sha256Hex(bytes);
  expect(await chunks.get(hash)).toBeUndefined();
  await chunks.put(hash, bytes);
  expect(await chunks.get(hash)).toEqual(bytes);
});

it('forgets a chunk that the disk spoilt, so that it is fetched again', async () => {
  const hash = await sha256Hex(bytes);
  await database.chunks.put({ hash, bytes: new Uint8Array([1, 2, 3, 5]) });
  expect(await chunks.get(hash)).toBeUndefined();
  expect(await database.chunks.count()).toBe(0);
});
