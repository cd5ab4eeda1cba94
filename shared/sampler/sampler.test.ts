import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom, xoshiro128 } from './random.ts';
import { createSampler } from './sampler.ts';
import { GREEDY, type Sampling } from './types.ts';

const sampling = (more: Partial<Sampling>): Sampling => ({ ...GREEDY, temperature: 1, ...more });
const logitsOf = (...probabilities: number[]) => Float32Array.from(probabilities, Math.log);

/** How often each id was chosen, as a share. */
function shares(settings: Sampling, logits: Float32Array, draws = 20_000): number[] {
  const sampler = createSampler(settings, []);
  const counts = new Array<number>(logits.length).fill(0);
  for (let i = 0; i < draws; i++) counts[sampler.next(logits.slice())]!++;
  return counts.map((count) => count / draws);
}

describe('greedy', () => {
  it('takes the largest, of equals the lowest id', () => {
    const sampler = createSampler(GREEDY, []);
    expect(sampler.next(Float32Array.of(1, 5, -3, 5))).toBe(1);
    expect(sampler.next(Float32Array.of(-Infinity, Number.NaN, -7, -7))).toBe(2);
  });

  it.each([
    ['NaN', [Number.NaN, Number.NaN]],
    ['nothing', []],
    ['only -∞', [-Infinity, -Infinity]],
    ['∞', [0, Infinity]],
  ])('refuses logits of %s', (_, logits) => {
    for (const temperature of [0, 1]) {
      const sampler = createSampler(sampling({ temperature }), []);
      expect(() => sampler.next(Float32Array.from(logits))).toThrow(expect.objectContaining({ code: 'ENGINE_FAILED' }));
    }
  });
});

describe('drawing', () => {
  it('follows the softmax', () => {
    const expected = [0.5, 0.3, 0.15, 0.05];
    shares(sampling({ seed: 1 }), logitsOf(...expected)).forEach((share, id) => {
      expect(Math.abs(share - expected[id]!)).toBeLessThan(0.012);
    });
  });

  it('sharpens with a low temperature', () => {
    const [a, b] = shares(sampling({ temperature: 0.5, seed: 2 }), logitsOf(0.6, 0.4));
    expect(a).toBeCloseTo(0.36 / 0.52, 1);
    expect(b).toBeCloseTo(0.16 / 0.52, 1);
    const [cold] = shares(sampling({ temperature: 1e-6, seed: 2 }), logitsOf(0.5001, 0.4999), 100);
    expect(cold).toBe(1);
  });

  it('keeps the k likeliest and their proportions; ties go to the lower id', () => {
    const [a, b, c, d] = shares(sampling({ topK: 2, seed: 3 }), logitsOf(0.1, 0.2, 0.4, 0.3));
    expect([a, b]).toEqual([0, 0]);
    expect(c).toBeCloseTo(4 / 7, 1);
    expect(d).toBeCloseTo(3 / 7, 1);
    expect(shares(sampling({ topK: 2, seed: 3 }), logitsOf(0.25, 0.25, 0.25, 0.25), 500)[3]).toBe(0);
  });

  it('keeps the smallest set that reaches p', () => {
    const settings = (topP: number) => sampling({ topP, seed: 4 });
    const likely = logitsOf(0.05, 0.5, 0.15, 0.3);
    const kept = (topP: number) => shares(settings(topP), likely, 4000).map((share) => share > 0);
    expect(kept(0.4)).toEqual([false, true, false, false]);
    expect(kept(0.6)).toEqual([false, true, false, true]);
    expect(kept(0.9)).toEqual([false, true, true, true]);
    expect(kept(1)).toEqual([true, true, true, true]);
  });

  it('applies p to what k left', () => {
    // Of 0.5 and 0.3, renormalised 0.625 and 0.375, the first alone reaches 0.6.
    const [a, b] = shares(sampling({ topK: 2, topP: 0.6, seed: 5 }), logitsOf(0.5, 0.3, 0.2), 1000);
    expect([a, b]).toEqual([1, 0]);
  });

  it('agrees with sorting everything, for any logits', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -40, max: 40 }), { minLength: 1, maxLength: 60 }),
        fc.nat(70),
        fc.integer({ min: 1, max: 100 }),
        fc.nat(2 ** 32 - 1),
        (tenths, topK, percent, seed) => {
          const logits = Float32Array.from(tenths, (x) => x / 10);
          const topP = percent / 100;
          const sorted = [...logits.keys()].sort((a, b) => logits[b]! - logits[a]! || a - b);
          const best = logits[sorted[0]!]!;
          const weight = (id: number) => Math.exp(logits[id]! - best);
          const kept = topK > 0 ? sorted.slice(0, topK) : sorted;
          const total = kept.reduce((sum, id) => sum + weight(id), 0);
          let nucleus = 0;
          const allowed = kept.filter((id) => {
            const before = nucleus;
            nucleus += weight(id);
            return before < topP * total + 1e-9;
          });
          const sampler = createSampler(sampling({ topK, topP, seed }), []);
          for (let i = 0; i < 5; i++) expect(allowed).toContain(sampler.next(logits.slice()));
        },
      ),
    );
  });

  it('never chooses an impossible token', () => {
    const [a, b, c] = shares(sampling({ seed: 6 }), Float32Array.of(-Infinity, 0, Number.NaN), 500);
    expect([a, b, c]).toEqual([0, 1, 0]);
  });

  it('handles a vocabulary of 150k', () => {
    const random = seededRandom(9);
    const logits = Float32Array.from({ length: 151_936 }, () => (random() / 2 ** 32) * 10);
    const settings = [sampling({ topK: 50, topP: 0.9 }), sampling({ topP: 0.9 }), sampling({})];
    for (const one of settings) expect(createSampler(one, []).next(logits.slice())).toBeLessThan(151_936);
    expect(createSampler(sampling({ topK: 1 }), []).next(logits.slice())).toBe(
      createSampler(GREEDY, []).next(logits.slice()),
    );
  });
});

describe('repetition penalty', () => {
  it('weighs on what the prompt or the answer already had', () => {
    const sampler = createSampler({ ...GREEDY, repetitionPenalty: 2 }, [0, 999_999]);
    const logits = () => Float32Array.of(4, 3, 2.5, -1);
    expect(sampler.next(logits())).toBe(1);
    expect(sampler.next(logits())).toBe(2);
    expect(sampler.next(logits())).toBe(0);
  });

  it('pushes negative logits further down', () => {
    const sampler = createSampler({ ...GREEDY, repetitionPenalty: 2 }, [0]);
    expect(sampler.next(Float32Array.of(-1, -1.5))).toBe(1);
  });
});

describe('seeds', () => {
  it('repeat a text and differ from each other', () => {
    const logits = new Float32Array(1000);
    const text = (seed: number) => {
      const sampler = createSampler(sampling({ seed }), []);
      return Array.from({ length: 8 }, () => sampler.next(logits.slice()));
    };
    // Recorded once: a change of generator or order of draws is a change of everybody's answers.
    expect(text(42)).toEqual([153, 850, 18, 211, 534, 881, 727, 440]);
    expect(text(42)).toEqual(text(42));
    expect(text(43)).not.toEqual(text(42));
  });

  it('drive the generator that its authors published', () => {
    // The first numbers of their C code from the state {1, 2, 3, 4}.
    const expected = [11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849];
    const random = xoshiro128([1, 2, 3, 4]);
    expect(expected.map(() => random())).toEqual(expected);
  });
});

describe('bad settings', () => {
  it.each<[string, Partial<Sampling>]>([
    ['a negative temperature', { temperature: -0.1 }],
    ['a temperature over 2', { temperature: 2.1 }],
    ['a temperature that is no number', { temperature: Number.NaN }],
    ['half a token', { topK: 1.5 }],
    ['k below 0', { topK: -1 }],
    ['p = 0', { topP: 0 }],
    ['p > 1', { topP: 1.01 }],
    ['a penalty of 0', { repetitionPenalty: 0 }],
    ['a seed over 32 bits', { seed: 2 ** 32 }],
    ['a negative seed', { seed: -1 }],
  ])('%s', (_, more) => {
    expect(() => createSampler(sampling(more), [])).toThrow(expect.objectContaining({ code: 'SAMPLING_INVALID' }));
  });
});

it('goes on exactly as the sampler would have that chose what came before', () => {
  const anySampling = fc.record({
    temperature: fc.constantFrom(0, 0.7, 2),
    topK: fc.constantFrom(0, 3),
    topP: fc.constantFrom(0.8, 1),
    repetitionPenalty: fc.constantFrom(1, 1.3),
    seed: fc.nat(),
  });
  fc.assert(
    fc.property(anySampling, fc.nat(19), fc.nat(), (settings, taken, noise) => {
      const random = seededRandom(noise);
      const steps = Array.from({ length: 20 }, () => Float32Array.from({ length: 9 }, () => random() / 2 ** 30));
      const whole = createSampler(settings, [4, 7]);
      const tokens = steps.map((logits) => whole.next(logits.slice()));
      const resumed = createSampler(settings, [4, 7], tokens.slice(0, taken));
      expect(steps.slice(taken).map((logits) => resumed.next(logits.slice()))).toEqual(tokens.slice(taken));
    }),
  );
});
