import { describe, expect, test } from 'vitest';
import type { UpdateFormat } from '../../shared/train/codec/format.ts';
import { spaceValues } from '../../shared/train/codec/space.ts';
import { decodeAll, encodeAll, headerOf, randomValues, SPACE, SPARSE } from '../../shared/train/codec/testing.ts';
import { ATTACK_NAMES, type Attack } from './attackers.ts';
import { byzantineOf, tamperWith } from './byzantine.ts';

const DOWNLINK: UpdateFormat = { codec: 'sparse', keep: 256 };
const formats = { uplink: SPARSE, downlink: DOWNLINK, space: SPACE };
const values = (seed: number) => randomValues(spaceValues(SPACE), seed);
const roundOf = (round: number) =>
  Promise.all([1, 2, 3].map((k) => encodeAll(values(10 * round + k), { header: headerOf(k, round) })));

async function lieOf(attack: Attack) {
  const tamper = tamperWith(attack, 1);
  const published = await encodeAll(values(99), { format: DOWNLINK });
  const first = await roundOf(0);
  expect(await tamper({ ...formats, round: 0, updates: first, published: undefined })).toEqual(first);
  const updates = await roundOf(1);
  const sent = await tamper({ ...formats, round: 1, updates, published });
  expect(sent.slice(1)).toEqual(updates.slice(1));
  const read = async (bytes: Uint8Array, format = SPARSE) => decodeAll([bytes], SPACE, format);
  return {
    lie: await read(sent[0]!),
    honest: await read(updates[0]!),
    first: await read(first[0]!),
    neighbour: await read(updates[2]!),
    published: await read(published, DOWNLINK),
  };
}

const norm = (v: Float32Array) => Math.sqrt(v.reduce((sum, x) => sum + x * x, 0));
const cosine = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, i) => sum + x * b[i]!, 0) / (norm(a) * norm(b));

describe('a liar', () => {
  test.each(ATTACK_NAMES)('who does %s sends something that can be read', async (attack) => {
    expect(norm((await lieOf(attack)).lie)).toBeGreaterThan(0);
  });

  test('turns round, shouts, copies, repeats himself or what was published', async () => {
    const flip = await lieOf('flip');
    expect(flip.lie).toEqual(flip.honest.map((value) => 0 - value));
    const scale = await lieOf('scale');
    expect(norm(scale.lie) / norm(scale.honest)).toBeCloseTo(1000, 0);
    const copy = await lieOf('copy');
    expect(copy.lie).toEqual(copy.neighbour);
    const stale = await lieOf('stale');
    expect(stale.lie).toEqual(stale.first);
    const replay = await lieOf('replay');
    expect(cosine(replay.lie, replay.published)).toBeGreaterThan(0.6);
    expect(replay.lie.every((value, i) => value === 0 || value * replay.published[i]! > 0)).toBe(true);
    const disguise = await lieOf('disguise');
    expect(cosine(disguise.lie, disguise.published)).toBeLessThan(cosine(replay.lie, replay.published) - 0.1);
  });
});

test('how many lie is a share of the workers, rounded down', () => {
  expect(byzantineOf({}, 4)).toBeUndefined();
  expect(byzantineOf({ byzantine: '0.25:flip' }, 4)).toBeTypeOf('function');
  for (const bad of ['flip', '0.25', '2:flip', '0.25:rob', ':flip:']) {
    expect(() => byzantineOf({ byzantine: bad }, 4)).toThrow(/--byzantine/);
  }
});
