import { describe, expect, it } from 'vitest';
import { f32, memorySource, rawSafetensors, safetensorsFile, type TestTensor } from './testing.ts';
import type { ModelSource } from './types.ts';
import { openWeights } from './weights.ts';

const u16 = (dtype: 'F16' | 'BF16', ...patterns: number[]): TestTensor => ({
  dtype,
  shape: [patterns.length],
  bytes: new Uint8Array(Uint16Array.from(patterns).buffer),
});
const badHeader = expect.objectContaining({ code: 'SAFETENSORS_HEADER_INVALID' });
const open = (file: Uint8Array) => openWeights(memorySource({ 'model.safetensors': file }));

describe('openWeights', () => {
  const tensors = {
    odd: { dtype: 'U8', shape: [1], bytes: Uint8Array.of(1) } satisfies TestTensor,
    a: f32(1.5, -2),
    b: u16('F16', 0x3c00, 0xc000),
    c: u16('BF16', 0x3f80, 0xc049),
    empty: { dtype: 'F32', shape: [0, 4], bytes: new Uint8Array() } satisfies TestTensor,
  };

  it('reads every float format as float32, wherever it lies in the file', async () => {
    const weights = await open(safetensorsFile(tensors));
    expect(await weights.readFloat32('a')).toEqual(Float32Array.of(1.5, -2));
    expect(await weights.readFloat32('b')).toEqual(Float32Array.of(1, -2));
    expect(await weights.readFloat32('c')).toEqual(Float32Array.of(1, -3.140625));
    expect(await weights.readFloat32('empty')).toEqual(new Float32Array());
    expect(weights.info('a')).toMatchObject({ path: 'model.safetensors', dtype: 'F32', shape: [2] });
  });

  it('reads views of a larger, unaligned buffer', async () => {
    const inner = memorySource({ 'model.safetensors': safetensorsFile(tensors) });
    const unaligned: ModelSource = {
      ...inner,
      async readRange(path, start, end) {
        const bytes = await inner.readRange(path, start, end);
        const shifted = new Uint8Array(bytes.length + 1);
        shifted.set(bytes, 1);
        return shifted.subarray(1);
      },
    };
    const weights = await openWeights(unaligned);
    expect(await weights.readFloat32('a')).toEqual(Float32Array.of(1.5, -2));
    expect(await weights.readFloat32('b')).toEqual(Float32Array.of(1, -2));
  });

  it('asks for the headers only, then for nothing but the tensor', async () => {
    const file = safetensorsFile({ big: f32(...new Array(1000).fill(1)), small: f32(7) });
    const source = memorySource({ 'model.safetensors': file });
    const weights = await openWeights(source);
    await weights.readFloat32('small');
    const header = file.length - 4004;
    expect(source.reads).toEqual([
      'model.safetensors 0-8',
      `model.safetensors 8-${header}`,
      `model.safetensors ${file.length - 4}-${file.length}`,
    ]);
  });

  it('reads rows of a tensor and asks for nothing else', async () => {
    const matrix = { ...u16('BF16', 0x3f80, 0xc049, 0x4000, 0x3f80, 0x0000, 0x4000), shape: [3, 2] };
    const file = safetensorsFile({ first: f32(1), matrix });
    const source = memorySource({ 'model.safetensors': file });
    const weights = await openWeights(source);
    expect(await weights.readFloat32Rows('matrix', 1, 3)).toEqual(Float32Array.of(2, 1, 0, 2));
    expect(source.reads.at(-1)).toBe(`model.safetensors ${file.length - 8}-${file.length}`);
    expect(await weights.readFloat32Rows('matrix', 2, 2)).toEqual(new Float32Array());
    for (const [start, end] of [
      [2, 4],
      [-1, 1],
      [2, 1],
    ] as const) {
      await expect(weights.readFloat32Rows('matrix', start, end)).rejects.toMatchObject({ code: 'TENSOR_INVALID' });
    }
  });

  it('finds names with and without a checkpoint’s prefix, the exact one first', async () => {
    const gpt2 = await open(safetensorsFile({ 'transformer.h.0.w': f32(1), 'lm_head.weight': f32(2) }));
    expect(await gpt2.readFloat32('h.0.w')).toEqual(Float32Array.of(1));
    expect(gpt2.has('lm_head.weight')).toBe(true);
    const bare = await open(safetensorsFile({ 'h.0.w': f32(3) }));
    expect(await bare.readFloat32('transformer.h.0.w')).toEqual(Float32Array.of(3));
    const both = await open(safetensorsFile({ w: f32(4), 'model.w': f32(5) }));
    expect(await both.readFloat32('w')).toEqual(Float32Array.of(4));
    expect(await both.readFloat32('model.w')).toEqual(Float32Array.of(5));
  });

  it('refuses missing tensors and types that are not floats', async () => {
    const weights = await open(safetensorsFile(tensors));
    expect(weights.has('nothing')).toBe(false);
    expect(weights.has('constructor')).toBe(false);
    expect(() => weights.info('nothing')).toThrow(expect.objectContaining({ code: 'TENSOR_MISSING' }));
    await expect(weights.readFloat32('odd')).rejects.toMatchObject({ code: 'TENSOR_INVALID' });
  });

  it('says so when there are no weights at all', async () => {
    await expect(openWeights(memorySource({}))).rejects.toMatchObject({ code: 'MODEL_FILE_MISSING' });
  });
});

describe('a safetensors file that lies', () => {
  const good = safetensorsFile({ a: f32(1, 2) });
  const entry = (more: object) => JSON.stringify({ a: { dtype: 'F32', shape: [2], data_offsets: [0, 8], ...more } });
  const data = new Uint8Array(8);
  const prefix = (length: bigint) => {
    const file = good.slice();
    new DataView(file.buffer).setBigUint64(0, length, true);
    return file;
  };
  it.each([
    ['is empty', new Uint8Array()],
    ['has less than 8 bytes', good.slice(0, 5)],
    ['ends within its header', good.slice(0, 20)],
    ['claims a header beyond its end', prefix(BigInt(good.length))],
    ['claims a header of 2^63 bytes', prefix(2n ** 63n)],
    ['claims a header over the limit', prefix(100_000_001n)],
    ['ends within its data', good.slice(0, -1)],
    ['has bytes after its data', new Uint8Array([...good, 0])],
    ['is not JSON', rawSafetensors('{"a":', data)],
    ['is a list', rawSafetensors('[]', data)],
    ['has an unknown type', rawSafetensors(entry({ dtype: 'F31' }), data)],
    ['has a negative size', rawSafetensors(entry({ shape: [-2] }), data)],
    ['has a size that is not whole', rawSafetensors(entry({ shape: [0.5, 4] }), data)],
    ['has more elements than a number holds', rawSafetensors(entry({ shape: [2 ** 40, 2 ** 40] }), data)],
    ['has a rank over the limit', rawSafetensors(entry({ shape: [2, 1, 1, 1, 1, 1, 1, 1, 1] }), data)],
    ['has offsets that run backwards', rawSafetensors(entry({ data_offsets: [8, 0] }), data)],
    ['has offsets of another size than the shape', rawSafetensors(entry({ shape: [1] }), data)],
    ['has offsets beyond the end', rawSafetensors(entry({ data_offsets: [4, 12] }), data)],
    ['has an unknown field', rawSafetensors(entry({ url: 'x' }), data)],
    [
      'has tensors that overlap',
      rawSafetensors(
        JSON.stringify({
          a: { dtype: 'F32', shape: [1], data_offsets: [0, 4] },
          b: { dtype: 'F32', shape: [2], data_offsets: [0, 8] },
        }),
        data,
      ),
    ],
    [
      'has a hole between tensors',
      rawSafetensors(
        JSON.stringify({
          a: { dtype: 'U8', shape: [2], data_offsets: [0, 2] },
          b: { dtype: 'F32', shape: [1], data_offsets: [4, 8] },
        }),
        data,
      ),
    ],
  ])('%s', async (_, file) => {
    await expect(open(file)).rejects.toEqual(badHeader);
  });

  it('is never read further than its first 8 bytes when the header is too long', async () => {
    const source = memorySource({ 'model.safetensors': prefix(100_000_001n) });
    await expect(openWeights(source)).rejects.toEqual(badHeader);
    expect(source.reads).toEqual(['model.safetensors 0-8']);
  });
});

describe('sharded weights', () => {
  const shards = {
    'model-00001-of-00002.safetensors': safetensorsFile({ a: f32(1) }),
    'model-00002-of-00002.safetensors': safetensorsFile({ b: f32(2) }),
  };
  const index = (weight_map: Record<string, string>) => ({
    'model.safetensors.index.json': JSON.stringify({ metadata: { total_size: 8 }, weight_map }),
  });
  const map = { a: 'model-00001-of-00002.safetensors', b: 'model-00002-of-00002.safetensors' };

  it('reads each tensor from its shard', async () => {
    const weights = await openWeights(memorySource({ ...shards, ...index(map) }));
    expect(weights.info('b').path).toBe('model-00002-of-00002.safetensors');
    expect(await weights.readFloat32('model.b')).toEqual(Float32Array.of(2));
  });

  it.each(['../model.safetensors', '/etc/passwd', 'a/b.safetensors', 'https://x/y', '.hidden', ''])(
    'refuses the shard name “%s”',
    async (shard) => {
      const source = memorySource({ ...shards, ...index({ ...map, a: shard }) });
      await expect(openWeights(source)).rejects.toEqual(badHeader);
      expect(source.reads).toEqual([]);
    },
  );

  it('refuses an index that promises what its shard lacks, or a shard that is not there', async () => {
    const wrong = openWeights(memorySource({ ...shards, ...index({ ...map, c: map.a }) }));
    await expect(wrong).rejects.toMatchObject({ code: 'TENSOR_MISSING' });
    const missing = openWeights(memorySource({ ...shards, ...index({ ...map, c: 'other.safetensors' }) }));
    await expect(missing).rejects.toMatchObject({ code: 'MODEL_FILE_MISSING' });
  });
});
