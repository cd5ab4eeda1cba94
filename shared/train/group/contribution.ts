import type { LocalData } from '../campaign/campaign.ts';
import { FEEDBACK_DECAY } from '../codec/limits.ts';
import type { ParameterSpace } from '../codec/space.ts';
import { deviationOf, discreteGaussian, type SecureRandom } from './noise.ts';
import { countPlaces, indicesOf } from './places.ts';
import { dequantise, quantise } from './quantise.ts';

/**
 * What a worker adds to its group's sum, in steps: of u = 0.95·e + Δ the values at the round's places, clipped, and
 * noise where the campaign has some. `feedback` (e) becomes u less what was sent without the noise. Both have the whole
 * space. The clip holds for what is sent, so what earlier rounds left in e needs no account of its own.
 */
export function contributionOf(
  delta: Float32Array,
  feedback: Float32Array,
  {
    space,
    places,
    data,
    random,
  }: { space: ParameterSpace; places: Uint16Array; data: LocalData; random: SecureRandom },
): Int32Array {
  for (let i = 0; i < delta.length; i++) feedback[i] = FEEDBACK_DECAY * feedback[i]! + delta[i]!;
  const values = new Float32Array(countPlaces(space, places));
  let at = 0;
  for (const index of indicesOf(space, places)) values[at++] = feedback[index]!;
  const steps = quantise(values, data.clip);
  const sent = dequantise(steps, data.clip, 1);
  at = 0;
  for (const index of indicesOf(space, places)) feedback[index]! -= sent[at++]!;
  if (data.noise) {
    const deviation = deviationOf({ multiplier: data.noise.multiplier, threshold: data.threshold });
    for (let i = 0; i < steps.length; i++) steps[i]! += discreteGaussian(deviation, random);
  }
  return steps;
}
