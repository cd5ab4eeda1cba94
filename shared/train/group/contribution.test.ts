import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../sampler/random.ts';
import type { LocalData } from '../campaign/campaign.ts';
import { spaceValues } from '../codec/space.ts';
import { contributionOf } from './contribution.ts';
import { CLIP_STEPS } from './limits.ts';
import { placesOf } from './places.ts';
import { dequantise } from './quantise.ts';

const SPACE = [{ name: 'matrix', shape: [64, 64] }];
const DATA: LocalData = { mode: 'local', groupSize: 3, threshold: 3, clip: 1 };
const norm = (values: Iterable<number>) => Math.sqrt([...values].reduce((sum, value) => sum + value * value, 0));

describe('what a worker adds to the sum', () => {
  it('loses nothing: what is not sent now stays in the feedback', () => {
    const delta = Float32Array.from({ length: spaceValues(SPACE) }, (_, i) => Math.sin(i) * 1e-3);
    const feedback = new Float32Array(delta.length);
    const places = placesOf(1, 0, 1024);
    const steps = contributionOf(delta, feedback, { space: SPACE, places, data: DATA, random: seededRandom(1) });
    const total = feedback.slice();
    for (const [i, place] of places.entries()) total[place]! += dequantise(steps, DATA.clip, 1)[i]!;
    expect(norm(total.map((value, i) => value - delta[i]!))).toBeLessThan(1e-8);
    expect(norm([...places].map((place) => feedback[place]!))).toBeLessThan(1024 / CLIP_STEPS);
  });

  it('is as long as the clip at most, however much was left from before', () => {
    const delta = new Float32Array(spaceValues(SPACE)).fill(1);
    const feedback = new Float32Array(delta.length).fill(100);
    const options = { space: SPACE, places: placesOf(1, 0, 1024), data: DATA, random: seededRandom(1) };
    expect(norm(contributionOf(delta, feedback, options))).toBeLessThanOrEqual(CLIP_STEPS);
  });

  it('has the noise of its share of the multiplier', () => {
    const nothing = () => new Float32Array(spaceValues(SPACE));
    const data: LocalData = { ...DATA, noise: { multiplier: 2, delta: 1e-6, sums: 1 } };
    const options = { space: SPACE, places: placesOf(1, 0, 4096), data, random: seededRandom(1) };
    const deviation = norm(contributionOf(nothing(), nothing(), options)) / 64;
    expect(deviation / ((2 * CLIP_STEPS) / Math.sqrt(3))).toBeCloseTo(1, 1);
  });
});
