import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from './random.ts';
import { createSampler } from './sampler.ts';
import { GREEDY, type Sampling } from './types.ts';
import { createAnswerVerifier } from './verify.ts';

const VOCABULARY = 60;
const STEPS = 12;
const TOLERANCE = 1e-3;

const settings = fc.record({
  temperature: fc.constantFrom(0, 0.3, 0.9, 1.5),
  topK: fc.constantFrom(0, 5, 30),
  topP: fc.constantFrom(0.6, 0.95, 1),
  repetitionPenalty: fc.constantFrom(1, 1.3),
  seed: fc.nat(2 ** 32 - 1),
});
const seeds = fc.nat(2 ** 31);

/** Logits of each step, and by how much another engine's are off. */
function logitsOf(seed: number, off: number): Float32Array[] {
  const random = seededRandom(seed);
  const noise = seededRandom(seed + 1);
  return Array.from({ length: STEPS }, () =>
    Float32Array.from({ length: VOCABULARY }, () => (random() / 2 ** 32) * 20 - 10 + off * (noise() / 2 ** 31 - 1)),
  );
}

function answer(sampling: Sampling, logits: Float32Array[], prompt: number[]): number[] {
  const sampler = createSampler(sampling, prompt);
  return logits.map((step) => sampler.next(step.slice()));
}

describe('an answer by somebody else', () => {
  it('is one that the same logits give', () => {
    fc.assert(
      fc.property(settings, seeds, (sampling, seed) => {
        const logits = logitsOf(seed, 0);
        const verifier = createAnswerVerifier(sampling, [1, 2], 0);
        const tokens = answer(sampling, logits, [1, 2]);
        expect(tokens.map((token, i) => verifier.agrees(logits[i]!.slice(), token))).toEqual(tokens.map(() => true));
      }),
    );
  });

  it('is one that logits within the tolerance give', () => {
    fc.assert(
      fc.property(settings, seeds, (sampling, seed) => {
        // The largest magnitude is at least 9 of 10 but in one draw of 10^40.
        const theirs = answer(sampling, logitsOf(seed, 9 * TOLERANCE * 0.5), [1, 2]);
        const ours = logitsOf(seed, 0);
        const verifier = createAnswerVerifier(sampling, [1, 2], TOLERANCE);
        const agreed = theirs.map((token, i) => verifier.agrees(ours[i]!.slice(), token));
        expect(agreed).toEqual(theirs.map(() => true));
      }),
      { numRuns: 2000 },
    );
  });

  it('is not one with another token than the likeliest', () => {
    const logits = [Float32Array.of(1, 5, 4.9), Float32Array.of(3, 1, 1)];
    const verifier = createAnswerVerifier(GREEDY, [], TOLERANCE);
    expect(verifier.agrees(logits[0]!.slice(), 2)).toBe(false);
    expect(verifier.agrees(logits[1]!.slice(), 0)).toBe(true);
  });

  it('is not one whose draws were made otherwise, but for tokens that are the same by chance', () => {
    const sampling = { ...GREEDY, temperature: 1.5, seed: 3 };
    const logits = logitsOf(4, 0);
    const verifier = createAnswerVerifier(sampling, [], TOLERANCE);
    const other = answer({ ...sampling, seed: 9 }, logits, []);
    const agreed = other.filter((token, i) => verifier.agrees(logits[i]!.slice(), token));
    expect(agreed.length).toBeLessThan(STEPS / 2);
  });
});
