/** GGUF (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md) with Q8_0 matrices, which llama.cpp reads. */
import type { ModelConfig, WeightReader } from '../../../shared/model/types.ts';
import { floatToHalf } from '../../../shared/tensor/half.ts';

const VERSION = 3;
const ALIGNMENT = 32;
const VALUE = { uint32: 4, float32: 6, int32: 5, string: 8, array: 9 };
const TENSOR = { f32: 0, q8_0: 8 };
const Q8_BLOCK = 32;
const Q8_BLOCK_BYTES = 2 + Q8_BLOCK;
/** llama.cpp's `general.file_type` of Q8_0. */
const MOSTLY_Q8_0 = 7;
const NORMAL_TOKEN = 1;

type MetaValue = string | string[] | { uint32: number } | { float32: number } | { int32s: number[] };

export interface GgufTensor {
  name: string;
  /** Row-major, the last one contiguous. */
  shape: number[];
  type: keyof typeof TENSOR;
  /** Of the model, transposed before it is written where `transposed`. */
  from: string;
  transposed?: boolean;
}

/** The file's parts, made one tensor at a time. */
export async function* ggufParts(
  config: ModelConfig,
  weights: WeightReader,
  tensors: GgufTensor[],
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const head = header(metadata(config), tensors);
  yield head;
  yield new Uint8Array(padding(head.length));
  for (const tensor of tensors) {
    const values = await weights.readFloat32(tensor.from);
    const ordered = tensor.transposed ? transposed(values, tensor.shape) : values;
    const bytes = tensor.type === 'f32' ? new Uint8Array(ordered.buffer as ArrayBuffer) : q8(ordered);
    yield bytes;
    yield new Uint8Array(padding(bytes.length));
  }
}

/** Blocks of 32 values: a binary16 scale, then int8. The largest value becomes ±127. */
export function q8(values: Float32Array): Uint8Array<ArrayBuffer> {
  const blocks = values.length / Q8_BLOCK;
  const bytes = new Uint8Array(blocks * Q8_BLOCK_BYTES);
  const view = new DataView(bytes.buffer);
  const quantised = new Int8Array(bytes.buffer);
  for (let block = 0; block < blocks; block++) {
    let largest = 0;
    for (let i = 0; i < Q8_BLOCK; i++) largest = Math.max(largest, Math.abs(values[block * Q8_BLOCK + i]!));
    const scale = largest / 127;
    view.setUint16(block * Q8_BLOCK_BYTES, floatToHalf(Float32Array.of(scale))[0]!, true);
    for (let i = 0; i < Q8_BLOCK; i++) {
      quantised[block * Q8_BLOCK_BYTES + 2 + i] = scale === 0 ? 0 : Math.round(values[block * Q8_BLOCK + i]! / scale);
    }
  }
  return bytes;
}

/** [in, out] → [out, in], `shape` being the latter. */
function transposed(values: Float32Array, [rows, columns]: number[]): Float32Array {
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows!; row++) {
    for (let column = 0; column < columns!; column++) result[row * columns! + column] = values[column * rows! + row]!;
  }
  return result;
}

function metadata(config: ModelConfig): [string, MetaValue][] {
  const { family } = config;
  const of = (name: string) => `${family}.${name}`;
  const epsilon = family === 'gpt2' ? 'attention.layer_norm_epsilon' : 'attention.layer_norm_rms_epsilon';
  return [
    ['general.architecture', family],
    ['general.file_type', { uint32: MOSTLY_Q8_0 }],
    [of('context_length'), { uint32: config.maxPositions }],
    [of('embedding_length'), { uint32: config.hiddenSize }],
    [of('block_count'), { uint32: config.layers }],
    [of('feed_forward_length'), { uint32: config.intermediateSize }],
    [of('attention.head_count'), { uint32: config.heads }],
    [of('attention.head_count_kv'), { uint32: config.kvHeads }],
    [of(epsilon), { float32: config.normEpsilon }],
    ...(config.rope ? ([[of('rope.freq_base'), { float32: config.rope.theta }]] as [string, MetaValue][]) : []),
    ...vocabulary(config.vocabSize),
  ];
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
/** The first tokens are single letters, which are never joined: wllama takes prompts as text only. */
export const WRITABLE_TOKENS = LETTERS.length;

/** Text that the tokenizer of the file turns into these ids, all of them below `WRITABLE_TOKENS`. */
export function promptText(ids: readonly number[]): string {
  return ids.map((id) => LETTERS[id]!).join('');
}

/** The ids of a text that was generated. */
export function tokensOf(text: string): number[] {
  return Array.from(text.matchAll(/[a-z]|T\d+/g), ([token]) =>
    token.startsWith('T') ? Number(token.slice(1)) : LETTERS.indexOf(token),
  );
}

function vocabulary(size: number): [string, MetaValue][] {
  const tokens = Array.from({ length: size }, (_, id) => LETTERS[id] ?? `T${id}`);
  return [
    ['tokenizer.ggml.model', 'gpt2'],
    ['tokenizer.ggml.pre', 'gpt-2'],
    ['tokenizer.ggml.tokens', tokens],
    ['tokenizer.ggml.token_type', { int32s: tokens.map(() => NORMAL_TOKEN) }],
    // No letters that a prompt has are joined by it, but llama.cpp wants one.
    ['tokenizer.ggml.merges', ['T 0']],
  ];
}

function header(meta: [string, MetaValue][], tensors: GgufTensor[]): Uint8Array<ArrayBuffer> {
  const bytes = new Bytes();
  bytes.raw(new TextEncoder().encode('GGUF'));
  bytes.u32(VERSION);
  bytes.u64(tensors.length);
  bytes.u64(meta.length);
  for (const [key, value] of meta) {
    bytes.text(key);
    writeMeta(bytes, value);
  }
  let offset = 0;
  for (const { name, shape, type } of tensors) {
    bytes.text(name);
    bytes.u32(shape.length);
    for (const size of shape.toReversed()) bytes.u64(size);
    bytes.u32(TENSOR[type]);
    bytes.u64(offset);
    const length = tensorBytes(shape, type);
    offset += length + padding(length);
  }
  return bytes.joined();
}

function writeMeta(bytes: Bytes, value: MetaValue): void {
  if (typeof value === 'string') {
    bytes.u32(VALUE.string);
    bytes.text(value);
  } else if (Array.isArray(value)) {
    bytes.u32(VALUE.array);
    bytes.u32(VALUE.string);
    bytes.u64(value.length);
    for (const text of value) bytes.text(text);
  } else if ('int32s' in value) {
    bytes.u32(VALUE.array);
    bytes.u32(VALUE.int32);
    bytes.u64(value.int32s.length);
    bytes.raw(new Uint8Array(Int32Array.from(value.int32s).buffer));
  } else if ('uint32' in value) {
    bytes.u32(VALUE.uint32);
    bytes.u32(value.uint32);
  } else {
    bytes.u32(VALUE.float32);
    bytes.raw(new Uint8Array(Float32Array.of(value.float32).buffer));
  }
}

function tensorBytes(shape: number[], type: GgufTensor['type']): number {
  const values = shape.reduce((product, size) => product * size, 1);
  return type === 'f32' ? 4 * values : (values / Q8_BLOCK) * Q8_BLOCK_BYTES;
}

function padding(length: number): number {
  return (ALIGNMENT - (length % ALIGNMENT)) % ALIGNMENT;
}

/** Little-endian bytes, one after the other. */
class Bytes {
  readonly #parts: Uint8Array[] = [];

  raw(bytes: Uint8Array): void {
    this.#parts.push(bytes);
  }

  u32(value: number): void {
    this.raw(new Uint8Array(Uint32Array.of(value).buffer));
  }

  u64(value: number): void {
    this.raw(new Uint8Array(BigUint64Array.of(BigInt(value)).buffer));
  }

  text(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.u64(bytes.length);
    this.raw(bytes);
  }

  joined(): Uint8Array<ArrayBuffer> {
    const all = new Uint8Array(this.#parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of this.#parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }
}
