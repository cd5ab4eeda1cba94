import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../bytes/sha256.ts';
import { buildManifest, encodeManifest, type ModelManifest, manifestHash, parseManifest } from './manifest.ts';
import { memorySource } from './testing.ts';

const CHUNK = 65_536;
const files = { 'b.bin': new Uint8Array(2 * CHUNK).fill(1), 'a.bin': new Uint8Array(CHUNK + 1), 'c.json': '' };
const options = { id: 'stories', name: 'Stories', paths: ['b.bin', 'a.bin', 'c.json'], chunkBytes: CHUNK };

describe('buildManifest', () => {
  it('hashes chunk by chunk', async () => {
    const source = memorySource(files);
    const manifest = await buildManifest(source, options);
    expect(manifest.files).toEqual([
      {
        path: 'a.bin',
        size: CHUNK + 1,
        chunks: [await sha256Hex(new Uint8Array(CHUNK)), await sha256Hex(new Uint8Array(1))],
      },
      { path: 'b.bin', size: 2 * CHUNK, chunks: new Array(2).fill(await sha256Hex(new Uint8Array(CHUNK).fill(1))) },
      { path: 'c.json', size: 0, chunks: [] },
    ]);
    expect(source.reads.every((read) => Number(read.split('-')[1]) - Number(/(\d+)-/.exec(read)![1]) <= CHUNK)).toBe(
      true,
    );
  });

  it('has one encoding and one hash, whatever the order of paths and fields', async () => {
    const manifest = await buildManifest(memorySource(files), { ...options, contextLength: 512 });
    const other = await buildManifest(memorySource(files), {
      ...options,
      contextLength: 512,
      paths: options.paths.toReversed(),
    });
    const shuffled = Object.fromEntries(Object.entries(other).reverse()) as ModelManifest;
    expect(encodeManifest(shuffled)).toEqual(encodeManifest(manifest));
    expect(parseManifest(encodeManifest(manifest))).toEqual(manifest);
    expect(await manifestHash(shuffled)).toBe(await sha256Hex(encodeManifest(manifest)));
    // Recorded: every node's name for this model.
    expect(await manifestHash(manifest)).toBe('085e4bc0f682e518f80996f0fef1928534a7d501563afcaae2ab6b4bdec3f17a');
  });

  it.each([
    [{ ...options, id: '../x' }, 'MANIFEST_INVALID'],
    [{ ...options, chunkBytes: 100_000 }, 'MANIFEST_INVALID'],
    [{ ...options, chunkBytes: 32_768 }, 'MANIFEST_INVALID'],
    [{ ...options, paths: [] }, 'MANIFEST_INVALID'],
    [{ ...options, paths: ['missing'] }, 'MODEL_FILE_MISSING'],
  ])('refuses %j', async (bad, code) => {
    await expect(buildManifest(memorySource(files), bad)).rejects.toMatchObject({ code });
  });
});

describe('parseManifest', () => {
  const hash = 'ab'.repeat(32);
  const good = {
    version: 1,
    id: 'm',
    name: 'M',
    chunkBytes: CHUNK,
    files: [{ path: 'a.bin', size: 5, chunks: [hash] }],
  };
  const file = (more: object) => ({ ...good, files: [{ ...good.files[0], ...more }] });
  const bytesOf = (json: unknown) => new TextEncoder().encode(typeof json === 'string' ? json : JSON.stringify(json));

  it('takes a good one', () => {
    expect(parseManifest(bytesOf(good))).toEqual(good);
  });

  it.each<[string, unknown]>([
    ['no JSON', '{'],
    ['another version', { ...good, version: 2 }],
    ['unknown fields', { ...good, script: 'x' }],
    ['a path upwards', file({ path: '../a' })],
    ['an absolute path', file({ path: '/a' })],
    ['a hidden file', file({ path: '.npmrc' })],
    ['too few chunks', file({ size: CHUNK + 1 })],
    ['too many chunks', file({ chunks: [hash, hash] })],
    ['chunks of an empty file', file({ size: 0 })],
    ['a hash that is none', file({ chunks: ['x'] })],
    ['a hash in capitals', file({ chunks: [hash.toUpperCase()] })],
    ['a size that is not whole', file({ size: 4.5 })],
    ['a size beyond what a number holds', file({ size: 2 ** 60 })],
    ['a file twice', { ...good, files: [good.files[0], good.files[0]] }],
    ['a chunk size of 2^40', { ...good, chunkBytes: 2 ** 40 }],
    ['no files', { ...good, files: [] }],
    ['a context of 0', { ...good, contextLength: 0 }],
  ])('refuses %s', (_, json) => {
    expect(() => parseManifest(bytesOf(json))).toThrow(expect.objectContaining({ code: 'MANIFEST_INVALID' }));
  });

  it('refuses a huge one before parsing it', () => {
    expect(() => parseManifest(new Uint8Array(32 * 2 ** 20 + 1))).toThrow(/more than/);
  });
});
