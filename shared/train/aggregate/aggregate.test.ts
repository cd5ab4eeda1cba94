import { describe, expect, it } from 'vitest';
import { decodeAll, encodeAll, FORMATS, headerOf, SPACE, SPARSE } from '../codec/testing.ts';
import { type Contribution, clipFactors, inOrder, weightsOf } from './cohort.ts';
import { measureUpdate } from './measure.ts';
import { confirmedMean, meanOfAll, meanOfSenders, medianOfAll, type Rule, trimmedMeanOfAll } from './rules.ts';
import { aggregateAll, cohortOf, contributionOf, downlinkOf, pseudoGradient } from './testing.ts';

const RULES: [string, Rule][] = [
  ['mean of all', meanOfAll],
  ['mean of senders', meanOfSenders],
  ['median of all', medianOfAll],
  ['trimmed mean of all', trimmedMeanOfAll],
  ['confirmed mean', confirmedMean],
];
const norm = (values: Float32Array) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
const deltas = (count: number) => Array.from({ length: count }, (_, k) => pseudoGradient(k));

it('clips a contribution that was scaled by 1000 to the median norm', async () => {
  const [a, b, c] = deltas(3) as [Float32Array, Float32Array, Float32Array];
  const cohort = await cohortOf([a, b, c.map((value) => 1000 * value)]);
  expect(cohort[2]!.norm / cohort[1]!.norm).toBeGreaterThan(500);
  const joint = await aggregateAll(cohort, meanOfAll);
  const sent = await Promise.all(cohort.map(({ open }) => decodeAll(open() as Iterable<Uint8Array>)));
  const clip = clipFactors(cohort);
  const third = joint.map((value, i) => 3 * value - clip[0]! * sent[0]![i]! - clip[1]! * sent[1]![i]!);
  const median = cohort.map((contribution) => contribution.norm).sort((x, y) => x - y)[1]!;
  expect(norm(third) / median).toBeCloseTo(1, 5);
});

describe.each(RULES)('%s', (_, rule) => {
  it('makes the same bytes in whatever order the contributions come', async () => {
    const cohort = await cohortOf(deltas(5));
    cohort[1]!.staleness = 2;
    cohort[3]!.sequences = 7;
    const bytes = await downlinkOf(cohort, rule);
    expect(await downlinkOf(cohort.toReversed(), rule)).toEqual(bytes);
    expect(
      await downlinkOf(
        [2, 0, 4, 1, 3].map((k) => cohort[k]!),
        rule,
      ),
    ).toEqual(bytes);
  });

  it('moves along when all scale their updates by a power of two', async () => {
    const once = await aggregateAll(await cohortOf(deltas(4)), rule);
    const twice = await aggregateAll(await cohortOf(deltas(4).map((delta) => delta.map((d) => 2 * d))), rule);
    expect(twice).toEqual(once.map((value) => 2 * value));
  });

  it('gives a lone contributor no other direction', async () => {
    const cohort = await cohortOf(deltas(1));
    const joint = await aggregateAll(cohort, rule);
    const sent = await decodeAll(cohort[0]!.open() as Iterable<Uint8Array>);
    const factor = norm(joint) / norm(sent);
    expect(factor).toBeGreaterThan(0.4);
    for (const [i, value] of joint.entries()) expect(value).toBeCloseTo(factor * sent[i]!, 9);
  });
});

describe.each(FORMATS)('$codec, keeping $keep', (format) => {
  it('means of all and of senders are what arithmetic says', async () => {
    const cohort = await cohortOf(deltas(4), format);
    cohort[0]!.sequences = 3;
    cohort[2]!.staleness = 1;
    const clip = clipFactors(cohort);
    const sent = await Promise.all(cohort.map(({ open }) => decodeAll(open() as Iterable<Uint8Array>, SPACE, format)));
    const weights = [3, 1, 1 / 2, 1].map((weight) => weight / (5.5 / 4));
    expect([...weightsOf(cohort)]).toEqual(weights);
    const all = await aggregateAll(cohort, meanOfAll, format);
    const senders = await aggregateAll(cohort, meanOfSenders, format);
    for (const i of all.keys()) {
      const sum = sent.reduce((total, values, k) => total + weights[k]! * clip[k]! * values[i]!, 0);
      const sending = sent.reduce((total, values, k) => total + (values[i] === 0 ? 0 : weights[k]!), 0);
      expect(all[i]).toBeCloseTo(sum / 4, 9);
      if (format.codec === 'sparse') expect(senders[i]).toBeCloseTo(sending === 0 ? 0 : sum / sending, 9);
      else expect(senders[i]).toBeCloseTo(sum / 4, 9);
    }
  });
});

describe('refuses', () => {
  it('a contribution that is not finite, with the reason', async () => {
    const bytes = await encodeAll(pseudoGradient(1), { format: { codec: 'none' } });
    for (const pattern of [0x7fc0_0000, 0x7f80_0000, 0xff80_0000]) {
      const broken = bytes.slice();
      new DataView(broken.buffer).setUint32(broken.length - 4, pattern, true);
      await expect(measureUpdate([broken], SPACE, { codec: 'none' })).rejects.toMatchObject({
        code: 'UPDATE_INVALID',
        message: expect.stringContaining('not a finite number'),
      });
      const cohort = [await contributionOf(bytes, 1, { codec: 'none' })];
      cohort[0]!.open = () => [broken];
      await expect(aggregateAll(cohort, meanOfAll, { codec: 'none' })).rejects.toMatchObject({
        code: 'UPDATE_INVALID',
      });
    }
  });

  it('one that ends early or late in the middle of a cohort', async () => {
    const cohort = await cohortOf(deltas(2));
    const [whole] = cohort[1]!.open() as [Uint8Array];
    for (const bytes of [whole.subarray(0, -1), new Uint8Array([...whole, 0])]) {
      cohort[1]!.open = () => [bytes];
      await expect(aggregateAll(cohort, confirmedMean)).rejects.toMatchObject({ code: 'UPDATE_INVALID' });
    }
  });

  it('an empty cohort, and a unit that is there twice', async () => {
    expect(() => inOrder([])).toThrow(RangeError);
    const one: Contribution = { unit: headerOf().unit, open: () => [], norm: 1, sequences: 1, staleness: 0 };
    expect(() => inOrder([one, { ...one }])).toThrow('twice');
  });
});

it('measures what was sent', async () => {
  const bytes = await encodeAll(pseudoGradient(1));
  const sent = await decodeAll([bytes]);
  const measured = await measureUpdate([bytes], SPACE, SPARSE);
  expect(measured.header).toEqual(headerOf());
  expect(measured.values).toBe(sent.filter((value) => value !== 0).length);
  expect(measured.norm).toBeCloseTo(norm(sent), 9);
});
