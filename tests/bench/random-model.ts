/**
 * Models of any size with random weights, as folders in Hugging Face layout: what measures memory and speed needs a
 * model's true shapes, and not what it says. `npx tsx tests/bench/random-model.ts DIR` writes Qwen1.5-1.8B's.
 */
import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import type { ModelConfig } from '../../shared/model/types.ts';
import { INDEX_FILE } from '../../shared/model/weights.ts';
import { seededRandom } from '../../shared/sampler/random.ts';
import { characterTokenizer } from '../../shared/train/characters.ts';
import { configJson, safetensorsHeader } from '../../shared/train/hugging-face.ts';
import type { Parameter } from '../../shared/train/model/family.ts';
import { parametersOf } from '../../shared/train/model/model.ts';

/** Qwen/Qwen1.5-1.8B-Chat: 1,836,828,672 parameters. */
export const QWEN_1_8B: ModelConfig = {
  ...{ family: 'qwen2', layers: 24, hiddenSize: 2048, intermediateSize: 5504, heads: 16, kvHeads: 16, headDim: 128 },
  ...{ vocabSize: 151_936, maxPositions: 32_768, normEpsilon: 1e-6, activation: 'silu', rope: { theta: 1_000_000 } },
  ...{ tiedHead: false, bosToken: 151_643, eosTokens: [151_645] },
};

export interface RandomModelOptions {
  /** A shard is closed when it has so many bytes: 1 GiB without one. */
  shardBytes?: number;
}

const BF16_BYTES = 2;
const PIECE = 2 ** 21;
/** Different values that a tensor may have; a 32-bit draw picks two of them. */
const VALUES = 2 ** 16;

/**
 * Writes a model that loads and runs: bfloat16 in shards with their index, initialised as for training, so that
 * nothing overflows. A few million values are in memory at once. The same seed gives the same bytes.
 */
export async function writeRandomModel(
  dir: string,
  config: ModelConfig,
  seed: number,
  { shardBytes = 2 ** 30 }: RandomModelOptions = {},
): Promise<void> {
  await mkdir(dir, { recursive: true });
  const shards = inShards(parametersOf(config), shardBytes);
  const nameOf = (index: number) => {
    const [number, count] = [index + 1, shards.length].map((n) => String(n).padStart(5, '0'));
    return `model-${number}-of-${count}.safetensors`;
  };
  const fill = randomBfloats(seed);
  for (const [index, shard] of shards.entries()) await writeShard(join(dir, nameOf(index)), shard, fill);
  const weight_map = Object.fromEntries(
    shards.flatMap((shard, index) => shard.map(({ name }) => [name, nameOf(index)] as const)),
  );
  const total_size = shards.flat().reduce((sum, parameter) => sum + byteLength(parameter), 0);
  const tokenizer = characterTokenizer(String.fromCharCode(...Array.from({ length: 95 }, (_, i) => 32 + i)));
  await writeFile(join(dir, INDEX_FILE), JSON.stringify({ metadata: { total_size }, weight_map }));
  await writeFile(join(dir, 'tokenizer.json'), JSON.stringify(tokenizer.json));
  await writeFile(join(dir, 'config.json'), JSON.stringify({ ...configJson(config), torch_dtype: 'bfloat16' }));
}

function byteLength({ shape }: Parameter): number {
  return BF16_BYTES * shape.reduce((product, size) => product * size, 1);
}

function inShards(parameters: Parameter[], shardBytes: number): Parameter[][] {
  const shards: Parameter[][] = [[]];
  let bytes = 0;
  for (const parameter of parameters) {
    if (bytes >= shardBytes) {
      shards.push([]);
      bytes = 0;
    }
    shards.at(-1)!.push(parameter);
    bytes += byteLength(parameter);
  }
  return shards;
}

type Fill = (values: Uint16Array, init: Parameter['init']) => void;

async function writeShard(path: string, parameters: Parameter[], fill: Fill): Promise<void> {
  const file = createWriteStream(path);
  await write(file, safetensorsHeader(parameters, 'BF16'));
  for (const parameter of parameters) {
    for (let left = byteLength(parameter) / BF16_BYTES; left > 0; left -= PIECE) {
      const values = new Uint16Array(Math.min(left, PIECE));
      fill(values, parameter.init);
      await write(file, new Uint8Array(values.buffer));
    }
  }
  file.end();
  await finished(file);
}

async function write(file: WriteStream, bytes: Uint8Array): Promise<void> {
  if (!file.write(bytes)) await once(file, 'drain');
}

/** Fills with a constant, or from a table of normally distributed values. */
function randomBfloats(seed: number): Fill {
  const draw = seededRandom(seed);
  const normal = Float64Array.from({ length: VALUES }, () => {
    const [radius, angle] = [Math.sqrt(-2 * Math.log((draw() + 1) / 2 ** 32)), (2 * Math.PI * draw()) / 2 ** 32];
    return radius * Math.cos(angle);
  });
  const tables = new Map<number, Uint16Array>();
  const tableOf = (deviation: number): Uint16Array => {
    const table = tables.get(deviation) ?? Uint16Array.from(normal, (value) => bfloat(deviation * value));
    tables.set(deviation, table);
    return table;
  };
  return (values, init) => {
    if ('constant' in init) return void values.fill(bfloat(init.constant));
    const table = tableOf(init.deviation);
    for (let i = 0; i < values.length; i += 2) {
      const drawn = draw();
      values[i] = table[drawn & 0xffff]!;
      values[i + 1] = table[drawn >>> 16]!;
    }
  };
}

/** The upper half of a float32's bits. */
function bfloat(value: number): number {
  return new Uint32Array(Float32Array.of(value).buffer)[0]! >>> 16;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [dir] = process.argv.slice(2);
  if (dir === undefined) throw new Error('which folder?');
  await writeRandomModel(dir, QWEN_1_8B, 1);
}
