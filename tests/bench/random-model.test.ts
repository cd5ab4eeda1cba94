import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openModel } from '../../server/coordinator/model-store.ts';
import { folderSource } from '../../server/model/folder-source.ts';
import type { ModelConfig } from '../../shared/model/types.ts';
import { openWeights } from '../../shared/model/weights.ts';
import { parameterCount, parametersOf } from '../../shared/train/model/model.ts';
import { QWEN_1_8B, writeRandomModel } from './random-model.ts';

const small: ModelConfig = {
  ...QWEN_1_8B,
  ...{ layers: 2, hiddenSize: 64, intermediateSize: 96, heads: 4, kvHeads: 2, headDim: 16, vocabSize: 131 },
  ...{ bosToken: 1, eosTokens: [2] },
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ailo-random-'));
});
afterEach(() => rm(folder, { recursive: true }));

it('writes a model in shards that the coordinator would serve', async () => {
  await writeRandomModel(folder, small, 1, { shardBytes: 40_000 });
  const { config } = await openModel({ dir: folder }, join(folder, 'manifests'));
  expect(config).toEqual(small);
  expect((await readdir(folder)).filter((name) => name.endsWith('.safetensors')).length).toBeGreaterThan(1);
  const weights = await openWeights(folderSource(folder));
  for (const { name, shape } of parametersOf(small)) {
    expect(weights.info(name)).toMatchObject({ dtype: 'BF16', shape: [...shape] });
  }
  const values = await weights.readFloat32('model.embed_tokens.weight');
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / values.length);
  expect(deviation).toBeCloseTo(0.02, 3);
  expect([...(await weights.readFloat32('model.norm.weight'))]).toEqual(new Array(64).fill(1));
});

it('gives the same bytes for the same seed, and others for another', async () => {
  const bytesOf = async (name: string, seed: number) => {
    await writeRandomModel(join(folder, name), small, seed);
    return readFile(join(folder, name, 'model-00001-of-00001.safetensors'));
  };
  const first = await bytesOf('a', 7);
  expect(await bytesOf('b', 7)).toEqual(first);
  expect(await bytesOf('c', 8)).not.toEqual(first);
});

it('knows the shape of Qwen1.5-1.8B', () => {
  expect(parameterCount(QWEN_1_8B)).toBe(1_836_828_672);
});
