import { expect, it } from 'vitest';
import { spaceValues } from '../codec/space.ts';
import { decodeAll, randomValues, SPACE, SPARSE } from '../codec/testing.ts';
import { agreementOf, trustOf } from './agreement.ts';
import { medianOf } from './cohort.ts';
import { confirmedMean, meanOfSenders } from './rules.ts';
import { aggregateAll, cohortOf, pseudoGradient } from './testing.ts';

const negated = (values: Float32Array) => values.map((value) => -value);
const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

it('who turns signs round loses all weight, whatever the magnitude; honest ones lose none', async () => {
  const honest = Array.from({ length: 6 }, (_, k) => pseudoGradient(k));
  const liars = [6, 7].map((k) => negated(pseudoGradient(k, 1)));
  const agreement = await agreementOf(await cohortOf([...honest, ...liars]), SPACE, SPARSE);
  expect(agreement.every((a) => a >= -1 && a <= 1)).toBe(true);
  expect([...trustOf(agreement)]).toEqual([1, 1, 1, 1, 1, 1, 0, 0]);
});

it('is what counting pairs gives', async () => {
  const cohort = await cohortOf([0, 1, 2].map((k) => randomValues(spaceValues(SPACE), k)));
  const sent = await Promise.all(cohort.map(({ open }) => decodeAll(open() as Iterable<Uint8Array>)));
  const expected = sent.map((mine, k) => {
    let agreed = 0;
    let pairs = 0;
    for (const [l, theirs] of sent.entries()) {
      if (l === k) continue;
      for (const [i, value] of mine.entries()) {
        agreed += Math.sign(value * theirs[i]!);
        pairs += value !== 0 && theirs[i] !== 0 ? 1 : 0;
      }
    }
    return agreed / pairs;
  });
  expect([...(await agreementOf(cohort, SPACE, SPARSE))]).toEqual(expected);
});

it('with two liars of eight our rule goes the honest way further than the mean over senders', async () => {
  const honest = Array.from({ length: 6 }, (_, k) => pseudoGradient(k));
  const cohort = await cohortOf([...honest, ...[6, 7].map((k) => negated(pseudoGradient(k)))]);
  const truth = pseudoGradient(100);
  const cosine = (joint: Float32Array) => dot(joint, truth) / Math.sqrt(dot(joint, joint) * dot(truth, truth));
  const ours = cosine(await aggregateAll(cohort, confirmedMean));
  expect(ours).toBeGreaterThan(1.2 * cosine(await aggregateAll(cohort, meanOfSenders)));
});

it('where nobody agrees with anybody all count alike, and medians are the lower of two', () => {
  expect([...trustOf(Float64Array.of(0))]).toEqual([1]);
  expect([...trustOf(Float64Array.of(-1, -1))]).toEqual([1, 1]);
  expect([...trustOf(Float64Array.of(0.4, 0.1, 0.4, -0.2))]).toEqual([1, 1, 1, 0]);
  expect([...trustOf(Float64Array.of(0.4, 0.1, 0.4))]).toEqual([1, 0.5, 1]);
  expect(medianOf(Float64Array.of(4, 1, 3, 2))).toBe(2);
});
