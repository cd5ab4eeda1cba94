import { expect, it } from 'vitest';
import { applyUpdate } from '../aggregate/apply.ts';
import { indicesOf, placesOf } from '../group/places.ts';
import { encodeUpdate } from './encode.ts';
import { spaceValues } from './space.ts';
import { memoryStore } from './store.ts';

const SPACE = [
  { name: 'matrix', shape: [70, 100] },
  { name: 'vector', shape: [3] },
];
const HEADER = { campaign: 'c', round: 3, unit: new Uint8Array(16), start: new Uint8Array(32) };

it('carries exactly the values at its places, in the order in which groups sum them', async () => {
  const values = Float32Array.from({ length: spaceValues(SPACE) }, (_, i) => i + 1);
  const places = placesOf(5, 3, 500);
  const format = { codec: 'subset' as const, places };
  const chunks = [];
  for await (const chunk of encodeUpdate(HEADER, SPACE, format, [values])) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const applied = new Float32Array(values.length);
  await applyUpdate([bytes], SPACE, format, memoryStore(applied));
  const sent = [...indicesOf(SPACE, places)];
  expect(applied.reduce((count, value) => count + Number(value !== 0), 0)).toBe(sent.length);
  expect(sent.every((index) => applied[index] === -values[index]!)).toBe(true);
  const body = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 4 * sent.length);
  expect(sent.map((_, i) => body.getFloat32(4 * i, true))).toEqual(sent.map((index) => values[index]));
});

it('refuses what is cut off, and what is not finite', async () => {
  const format = { codec: 'subset' as const, places: Uint16Array.of(0, 2) };
  const space = [{ name: 'v', shape: [4] }];
  const chunks: Uint8Array[] = [];
  for await (const chunk of encodeUpdate(HEADER, space, format, [Float32Array.of(1, 2, 3, 4)])) chunks.push(chunk);
  const bytes = new Uint8Array(Buffer.concat(chunks));
  const apply = (update: Uint8Array) => applyUpdate([update], space, format, memoryStore(new Float32Array(4)));
  await expect(apply(bytes.subarray(0, -1))).rejects.toMatchObject({ code: 'UPDATE_INVALID' });
  new DataView(bytes.buffer).setUint32(bytes.length - 4, 0x7f80_0000, true);
  await expect(apply(bytes)).rejects.toMatchObject({ code: 'UPDATE_INVALID' });
});
