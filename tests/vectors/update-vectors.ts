/** Golden vectors of the update codec. Bytes in hex; values as bytes of f32, little-endian, or as SHA-256 of those. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { agreementOf, trustOf } from '../../shared/train/aggregate/agreement.ts';
import { confirmedMean } from '../../shared/train/aggregate/rules.ts';
import { contributionOf, downlinkOf } from '../../shared/train/aggregate/testing.ts';
import type { UpdateFormat } from '../../shared/train/codec/format.ts';
import { type ParameterSpace, spaceHash, spaceValues } from '../../shared/train/codec/space.ts';
import { decodeAll, encodeAll, headerOf, randomValues, SPACE, SPARSE } from '../../shared/train/codec/testing.ts';

/** `randomValues` of testing.ts. */
interface Seeded {
  seed: number;
  deviation: number;
}

const small: ParameterSpace = [
  { name: 'matrix', shape: [2, 66] },
  { name: 'vector', shape: [5] },
];
const of = (values: number[]) => Float32Array.of(...values, ...Array(spaceValues(small) - values.length).fill(0));

export async function updateVectors() {
  const header = headerOf();
  return {
    header: { campaign: header.campaign, round: header.round, unit: hex(header.unit), start: hex(header.start) },
    random: [
      await random('sparse', SPARSE, { seed: 1, deviation: 1e-3 }),
      await random('sparse with feedback', SPARSE, { seed: 2, deviation: 1e-3 }, { seed: 3, deviation: 2e-3 }),
      await random('sparse, 5 of a block, tiny values', { codec: 'sparse', keep: 5 }, { seed: 4, deviation: 1e-7 }),
      await random(
        'sparse, 1 of a block, with feedback',
        { codec: 'sparse', keep: 1 },
        { seed: 5, deviation: 1 },
        { seed: 6, deviation: 1 },
      ),
      await random('int8 with feedback', { codec: 'int8' }, { seed: 7, deviation: 1e-3 }, { seed: 8, deviation: 1e-3 }),
      await random('none', { codec: 'none' }, { seed: 9, deviation: 1e-3 }),
    ],
    explicit: [
      await explicit('ties go to the first', { codec: 'sparse', keep: 3 }, of([1, -1, 1, 1, 2, -1, 0.5])),
      await explicit('nothing', SPARSE, of([])),
      await explicit('fewer than are kept, one in another block', { codec: 'sparse', keep: 4 }, of([0, 3, 0, -0, -4])),
      await explicit('what binary16 cannot hold', { codec: 'sparse', keep: 4 }, of([1e9, 2 ** -24, -(2 ** -25), 1e-8])),
      await explicit('two equal splits', { codec: 'sparse', keep: 3 }, of([1, 2, 3])),
      await explicit('int8: ties go to even, and zeros keep the scale 0', { codec: 'int8' }, of([127, 0.5, 1.5, -2.5])),
      await explicit('int8 of the largest f32', { codec: 'int8' }, of([3.4028234663852886e38, 1])),
    ],
    aggregates: [await aggregated()],
    invalid: invalidBodies(
      await encodeAll(of([1, -1, 1, 1, 2]), { space: small, format: { codec: 'sparse', keep: 3 } }),
    ),
    invalidSpace: small,
    invalidFormat: { codec: 'sparse', keep: 3 },
  };
}

async function random(name: string, format: UpdateFormat, input: Seeded, feedback?: Seeded) {
  const count = spaceValues(SPACE);
  const e = feedback ? randomValues(count, feedback.seed, feedback.deviation) : new Float32Array(count);
  const bytes = await encodeAll(randomValues(count, input.seed, input.deviation), { format, feedback: e });
  return {
    ...{ name, space: SPACE, spaceHash: hex(spaceHash(SPACE)), format, input, feedback: feedback ?? null },
    ...(format.codec === 'none' ? { bytesHash: hex(sha256(bytes)) } : { bytes: hex(bytes) }),
    decodedHash: hex(sha256(bytesOf(await decodeAll([bytes], SPACE, format)))),
    feedbackHash: hex(sha256(bytesOf(e))),
  };
}

/** Five contributions, one of them late, one against the others and a thousand times as large. */
async function aggregated() {
  const inputs = [1, 1, 1, 1, -1000].map((factor, k) => ({ factor, seed: 20 + k, deviation: 1e-3, common: 30 }));
  const count = spaceValues(SPACE);
  const cohort = await Promise.all(
    inputs.map(async ({ factor, seed, deviation, common }, k) => {
      const shared = randomValues(count, common, deviation);
      const delta = randomValues(count, seed, deviation).map((own, i) => factor * (own + shared[i]!));
      const more = { sequences: [8, 8, 16, 8, 8][k]!, staleness: k === 1 ? 2 : 0 };
      return contributionOf(await encodeAll(delta, { header: headerOf(k + 1) }), k + 1, SPARSE, more);
    }),
  );
  return {
    ...{ name: 'confirmed mean', space: SPACE, uplink: SPARSE, downlink: SPARSE, inputs },
    sequences: cohort.map(({ sequences }) => sequences),
    staleness: cohort.map(({ staleness }) => staleness),
    trust: [...trustOf(await agreementOf(cohort, SPACE, SPARSE))],
    bytes: hex(await downlinkOf(cohort, confirmedMean)),
  };
}

async function explicit(name: string, format: UpdateFormat, input: Float32Array) {
  const e = new Float32Array(input.length);
  const bytes = await encodeAll(input, { space: small, format, feedback: e });
  const decoded = hex(bytesOf(await decodeAll([bytes], small, format)));
  return {
    name,
    space: small,
    format,
    input: hex(bytesOf(input)),
    bytes: hex(bytes),
    decoded,
    feedback: hex(bytesOf(e)),
  };
}

/** Changes to a good update, each of which makes it invalid. `body` is where its first block begins. */
function invalidBodies(good: Uint8Array<ArrayBuffer>) {
  const body = 122;
  const change = (name: string, ...edits: [at: number, byte: number][]) => {
    const bytes = good.slice();
    for (const [at, byte] of edits) bytes[at] = byte;
    return { name, bytes: hex(bytes) };
  };
  const level = body + 1;
  return [
    { name: 'empty', bytes: '' },
    { name: 'cut in the header', bytes: hex(good.subarray(0, 60)) },
    { name: 'cut after the header', bytes: hex(good.subarray(0, body)) },
    { name: 'one byte short', bytes: hex(good.subarray(0, -1)) },
    { name: 'one byte long', bytes: `${hex(good)}00` },
    change('another magic', [0, 0x61]),
    change('version 2', [7, 2]),
    change('another codec', [8, 1]),
    change('the reserved byte', [9, 1]),
    change('another keep', [10, 4]),
    change('another space', [64, good[64]! ^ 1]),
    change('another count of tensors', [96, 9]),
    change('another count of values', [100, 9]),
    change('reserved bytes', [108, 1]),
    change('a campaign with a space', [116, 0x20]),
    change('Rice parameter 12', [body, 12]),
    change('an unknown bit of a tag', [body, good[body]! | 0x40]),
    change('a level that is NaN', [level + 3, 0x7e]),
    change('a level that is infinite', [level + 2, 0], [level + 3, 0x7c]),
    change('a negative level', [level + 1, good[level + 1]! | 0x80]),
    change('a level of zero', [level, 0], [level + 1, 0]),
    change('levels that descend', [level + 1, 0x7b]),
    change('a filling that is not zero', [level + 5, good[level + 5]! | 0x80]),
    change('an index outside', [level + 4, 0xff], [level + 5, 0xff]),
  ];
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function hex(bytes: Uint8Array): string {
  return bytesToHex(bytes);
}
