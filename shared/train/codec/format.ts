import { utf8ToBytes } from '@noble/hashes/utils.js';
import { ByteReader, ByteWriter } from '../../bytes/bytes.ts';
import { MODEL_ID } from '../../ledger/limits.ts';
import { UNIT_BYTES } from '../../ledger/training-receipt.ts';
import type { BlockCodec } from './block.ts';
import { Int8Codec, PlainCodec } from './dense.ts';
import { invalid } from './invalid.ts';
import { BLOCK_VALUES } from './limits.ts';
import { type ParameterSpace, spaceHash, spaceValues } from './space.ts';
import { SparseCodec } from './sparse.ts';
import { SubsetCodec } from './subset.ts';

/**
 * How the values are written: all as f32, all as int8 with a scale per block, the `keep` largest of every block, or as f32
 * those at the same `places` (ascending) of every block.
 */
export type UpdateFormat =
  | { codec: 'none' }
  | { codec: 'int8' }
  | { codec: 'sparse'; keep: number }
  | { codec: 'subset'; places: Uint16Array };

/** What an update belongs to. */
export interface UpdateHeader {
  /** As a model's id: letters, digits, “.”, “_” and “-”, 1 to 96 of them. */
  campaign: string;
  round: number;
  /** 16 bytes: the work unit that was assigned; zeros for what goes back to all. */
  unit: Uint8Array;
  /** 32 bytes: hash of the weights that the update starts from. */
  start: Uint8Array;
}

const MAGIC = utf8ToBytes('AILOUPD');
const VERSION = 1;
const CODECS = ['none', 'int8', 'sparse', 'subset'] as const;
const START_BYTES = 32;

export function codecOf(format: UpdateFormat): BlockCodec {
  if (format.codec === 'none') return new PlainCodec();
  if (format.codec === 'int8') return new Int8Codec();
  if (format.codec === 'subset') return new SubsetCodec(format.places);
  const { keep } = format;
  if (!Number.isInteger(keep) || keep < 1 || keep > BLOCK_VALUES) throw new RangeError(`${keep} values of a block`);
  return new SparseCodec(keep);
}

/**
 * Little-endian; after it the blocks follow, slab by slab, each from the left, without anything between or after them.
 *
 *   0  magic “AILOUPD”, version u8 1
 *   8  codec u8 (0 none, 1 int8, 2 sparse, 3 subset), zero u8, u16: values kept of a block, 0 for all
 *  12  round u32
 *  16  unit 16 bytes
 *  32  start 32 bytes
 *  64  space 32 bytes (spaceHash), tensors u32, values u64
 * 108  zeros 7 bytes, length of the campaign u8, the campaign in ASCII
 */
export function encodeHeader(header: UpdateHeader, space: ParameterSpace, format: UpdateFormat): Uint8Array {
  const { campaign, round, unit, start } = header;
  if (!MODEL_ID.test(campaign)) throw new RangeError('this cannot be the id of a campaign');
  if (unit.length !== UNIT_BYTES || start.length !== START_BYTES) throw new RangeError('a unit or a hash is too short');
  return new ByteWriter()
    .bytes(MAGIC)
    .u8(VERSION)
    .bytes(describe(format))
    .u32(round)
    .bytes(unit)
    .bytes(start)
    .bytes(describeSpace(space))
    .u8(campaign.length)
    .bytes(utf8ToBytes(campaign))
    .finish();
}

/** The header at the beginning of `bytes`, and its length. Throws UPDATE_INVALID, also for another space or format. */
export function decodeHeader(
  bytes: Uint8Array,
  space: ParameterSpace,
  format: UpdateFormat,
): { header: UpdateHeader; length: number } {
  const reader = new ByteReader(bytes, invalid);
  if (!equal(reader.bytes(MAGIC.length), MAGIC)) throw invalid('it does not begin with “AILOUPD”');
  const version = reader.u8();
  if (version !== VERSION) throw invalid(`its version ${version} is unknown`);
  if (!equal(reader.bytes(4), describe(format))) throw invalid('it is not in the format of its campaign');
  const round = reader.u32();
  const unit = reader.bytes(UNIT_BYTES).slice();
  const start = reader.bytes(START_BYTES).slice();
  const described = describeSpace(space);
  if (!equal(reader.bytes(described.length), described)) throw invalid('it is made for another model');
  const campaign = String.fromCharCode(...reader.bytes(reader.u8()));
  if (!MODEL_ID.test(campaign)) throw invalid('it names no campaign');
  return { header: { campaign, round, unit, start }, length: reader.offset };
}

function describe(format: UpdateFormat): Uint8Array {
  const keep = format.codec === 'sparse' ? format.keep : format.codec === 'subset' ? format.places.length : 0;
  return new ByteWriter().u8(CODECS.indexOf(format.codec)).u8(0).u16(keep).finish();
}

function describeSpace(space: ParameterSpace): Uint8Array {
  const values = BigInt(spaceValues(space));
  return new ByteWriter().bytes(spaceHash(space)).u32(space.length).u64(values).bytes(new Uint8Array(7)).finish();
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
