/** The values of a parameter space in a file, f32 little-endian, one after the other. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { ParameterSource, ParameterStore } from '../codec/store.ts';
import { bytesOf, type RandomAccessFile } from './files.ts';
import { SEGMENT_VALUES } from './limits.ts';

const ITEM_BYTES = Float32Array.BYTES_PER_ELEMENT;

export function fileStore(file: RandomAccessFile): ParameterStore {
  return {
    read: (start, into) => file.read(start * ITEM_BYTES, bytesOf(into)),
    write: (start, values) => file.write(start * ITEM_BYTES, bytesOf(values)),
  };
}

/** All values in order, in pieces that are good until the next is asked for. */
export async function* valuesOf(
  source: ParameterSource,
  values: number,
  pieceValues = SEGMENT_VALUES,
): AsyncGenerator<Float32Array, void, undefined> {
  const buffer = new Float32Array(Math.min(pieceValues, values));
  for (let start = 0; start < values; start += buffer.length) {
    const piece = buffer.subarray(0, Math.min(buffer.length, values - start));
    await source.read(start, piece);
    yield piece;
  }
}

/** The values of `from` less those of `other`, in order. */
export async function* differences(
  from: ParameterSource,
  other: ParameterSource,
  values: number,
): AsyncGenerator<Float32Array, void, undefined> {
  const subtrahend = new Float32Array(Math.min(SEGMENT_VALUES, values));
  let start = 0;
  for await (const piece of valuesOf(from, values)) {
    await other.read(start, subtrahend.subarray(0, piece.length));
    start += piece.length;
    yield piece.map((value, index) => value - subtrahend[index]!);
  }
}

/** SHA-256 over all values, little-endian, as hex. */
export async function hashOfSource(source: ParameterSource, values: number): Promise<string> {
  const hash = sha256.create();
  for await (const piece of valuesOf(source, values)) hash.update(bytesOf(piece));
  return bytesToHex(hash.digest());
}
