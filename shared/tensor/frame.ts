/**
 * The binary tensor frame: what stages hand to each other, and what carries token ids to the first. All numbers are
 * little-endian; the same bytes are read and written by the Python miner (tests/vectors/frames.json binds both).
 *
 *   0  magic "AF"
 *   2  version  u8   1
 *   3  kind     u8   0 tokens, 1 hidden
 *   4  dtype    u8   0 i32, 1 f32, 2 f16, 3 int8 with one f32 scale per row
 *   5  flags    u8   bit 0: sample after this; bit 1: rows have marks
 *   6  job      16 bytes
 *  22  sequence u32  steps of the job on this link, from 0
 *  26  position u32  rows of the sequence before this frame
 *  30  rank     u8   1 for tokens [count], 2 for hidden [rows, hiddenSize]
 *  31  dims     rank × u32, then zero bytes up to a multiple of 4
 *   …  marks    rows × u32, where flags say so (hidden only)
 *   …  payload  row-major; for int8 the scales of all rows come first
 */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { ByteReader, ByteWriter } from '../bytes/bytes.ts';
import { AiloError } from '../errors/index.ts';
import { decodeRows, encodeRows, payloadBytes, type WireDtype } from './payload.ts';

const MAGIC = 0x4641;
const VERSION = 1;
const SAMPLE_AFTER = 1;
const MARKED = 2;
const DTYPES = ['i32', 'f32', 'f16', 'int8'] as const;
/** Neither a sequence nor a hidden state is longer; keeps products of dims exact. */
const MAX_DIM = 2 ** 24;

export type FrameHead = {
  /** 128 bits, hex. */
  job: string;
  /** Counts the steps of the job on this link, from 0. */
  sequence: number;
  /** Rows of the sequence that came before this frame. */
  position: number;
  /** The last stage chooses a token after this frame: the last chunk of a prefill and every decode step. */
  sampleAfter: boolean;
};

export type Frame = FrameHead &
  (
    | { kind: 'tokens'; ids: Int32Array }
    /** `data` is row-major [rows, hiddenSize], float32; `marks` has one for each row (shared/node/drafts/marks.ts). */
    | { kind: 'hidden'; rows: number; data: Float32Array; marks?: Uint32Array }
  );

/**
 * `wire` is the format of hidden states on the wire (token ids are always i32): f32 is exact, f16 rounds to nearest
 * even, int8 keeps each row within 1/254 of its largest magnitude. A frame without rows is the caller's mistake:
 * RangeError.
 */
export function encodeFrame(frame: Frame, wire: WireDtype = 'f32'): Uint8Array<ArrayBuffer> {
  if (frame.kind === 'tokens') {
    const shape = checkedShape([frame.ids.length]);
    return assemble(frame, 'i32', shape, bytesOf(frame.ids));
  }
  const { rows, data, marks } = frame;
  const shape = checkedShape([rows, data.length / rows]);
  return assemble(frame, wire, shape, encodeRows(data, rows, wire), marks);
}

/** As `encodeFrame`, of [rows, columns] that are in the wire's format already. */
export function encodeHiddenRows(
  head: FrameHead,
  shape: [rows: number, columns: number],
  wire: WireDtype,
  payload: Uint8Array,
  marks?: Uint32Array,
): Uint8Array<ArrayBuffer> {
  return assemble(head, wire, checkedShape(shape), payload, marks);
}

function checkedShape(dims: number[]): number[] {
  if (dims.every((dim) => Number.isInteger(dim) && dim > 0 && dim <= MAX_DIM)) return dims;
  throw new RangeError(`a frame cannot have the shape [${dims}]`);
}

function assemble(
  head: FrameHead,
  dtype: (typeof DTYPES)[number],
  dims: number[],
  payload: Uint8Array,
  marks?: Uint32Array,
): Uint8Array<ArrayBuffer> {
  if (marks && marks.length !== dims[0]) throw new RangeError('a frame has one mark for each row');
  const job = hexToBytes(head.job);
  if (job.length !== 16) throw new RangeError('a job id has 16 bytes');
  const writer = new ByteWriter()
    .u16(MAGIC)
    .u8(VERSION)
    .u8(dtype === 'i32' ? 0 : 1)
    .u8(DTYPES.indexOf(dtype))
    .u8((head.sampleAfter ? SAMPLE_AFTER : 0) | (marks ? MARKED : 0))
    .bytes(job)
    .u32(head.sequence)
    .u32(head.position)
    .u8(dims.length);
  for (const dim of dims) writer.u32(dim);
  writer.bytes(new Uint8Array(padding(31 + 4 * dims.length)));
  for (const mark of marks ?? []) writer.u32(mark);
  return writer.bytes(payload).finish();
}

/**
 * The rows of the sequence that a frame brings, `start` to `end` without `end`, by its header alone: for who orders or
 * passes frames on without reading them. Undefined where there is no such header.
 */
export function frameRange(bytes: Uint8Array): { start: number; end: number } | undefined {
  if (bytes.length < 35) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const start = view.getUint32(26, true);
  return { start, end: start + view.getUint32(31, true) };
}

/** The marks of a frame's rows, by its header alone, and the position of the first. Undefined where it has none. */
export function frameMarks(bytes: Uint8Array): { start: number; marks: number[] } | undefined {
  const range = frameRange(bytes);
  const from = 31 + 8 + padding(31 + 8);
  if (!range || bytes[30] !== 2 || (bytes[5]! & MARKED) === 0) return undefined;
  const rows = range.end - range.start;
  if (from + 4 * rows > bytes.length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return { start: range.start, marks: Array.from({ length: rows }, (_, i) => view.getUint32(from + 4 * i, true)) };
}

/** Throws FRAME_INVALID for anything that `encodeFrame` would not have written, before allocating its tensor. */
export function decodeFrame(bytes: Uint8Array): Frame {
  const reader = new ByteReader(bytes, invalid);
  if (reader.u16() !== MAGIC) throw invalid('it does not begin with “AF”');
  const version = reader.u8();
  if (version !== VERSION) throw invalid(`its version ${version} is unknown`);
  const kind = reader.u8();
  const dtype = DTYPES[reader.u8()];
  const flags = reader.u8();
  const isMarked = (flags & MARKED) !== 0;
  if ((flags & ~(SAMPLE_AFTER | MARKED)) !== 0 || (isMarked && kind !== 1)) throw invalid('it has unknown flags');
  const head = {
    job: bytesToHex(reader.bytes(16)),
    sequence: reader.u32(),
    position: reader.u32(),
    sampleAfter: (flags & SAMPLE_AFTER) !== 0,
  };
  const dims = readDims(reader);
  if (kind === 0 && dtype === 'i32' && dims.length === 1)
    return { ...head, kind: 'tokens', ids: readIds(reader, dims[0]!) };
  if (kind !== 1 || dtype === undefined || dtype === 'i32' || dims.length !== 2) {
    throw invalid('its kind, type and rank do not belong together');
  }
  const [rows, columns] = dims as [number, number];
  const marks = isMarked ? readMarks(reader, rows) : undefined;
  const payload = readPayload(reader, payloadBytes(rows, columns, dtype));
  return { ...head, kind: 'hidden', rows, data: decodeRows(payload, rows, columns, dtype), ...(marks && { marks }) };
}

function readDims(reader: ByteReader): number[] {
  const rank = reader.u8();
  if (rank < 1 || rank > 2) throw invalid(`its rank ${rank} is unknown`);
  const dims = Array.from({ length: rank }, () => reader.u32());
  if (!dims.every((dim) => dim > 0 && dim <= MAX_DIM)) throw invalid(`its shape [${dims}] is impossible`);
  if (reader.bytes(padding(reader.offset)).some((byte) => byte !== 0)) throw invalid('its padding is not zero');
  return dims;
}

function readMarks(reader: ByteReader, rows: number): Uint32Array {
  return new Uint32Array(new Uint8Array(reader.bytes(4 * rows)).buffer);
}

function readIds(reader: ByteReader, count: number): Int32Array {
  const ids = new Int32Array(new Uint8Array(readPayload(reader, 4 * count)).buffer);
  if (ids.some((id) => id < 0)) throw invalid('it has a negative token');
  return ids;
}

function readPayload(reader: ByteReader, byteLength: number): Uint8Array {
  const payload = reader.bytes(byteLength);
  reader.end();
  return payload;
}

function padding(length: number): number {
  return -length & 3;
}

function bytesOf(array: Int32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function invalid(reason: string): AiloError {
  return AiloError.of('FRAME_INVALID', { reason });
}
