type State = [number, number, number, number];

/** Uniform unsigned 32-bit integers from a 32-bit seed, the same on every machine: xoshiro128** seeded by splitmix32. */
export function seededRandom(seed: number): () => number {
  const next = splitmix32(seed);
  return xoshiro128([next(), next(), next(), next()]);
}

/** xoshiro128** 1.1 (Blackman & Vigna 2018, https://prng.di.unimi.it/xoshiro128starstar.c). */
export function xoshiro128([a, b, c, d]: State): () => number {
  return () => {
    const product = Math.imul(b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9);
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return result >>> 0;
  };
}

/** The 32-bit splitmix that xoshiro's authors advise for filling a state: no seed gives all zeros. */
function splitmix32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e37_79b9) | 0;
    let z = state ^ (state >>> 16);
    z = Math.imul(z, 0x21f0_aaad);
    z ^= z >>> 15;
    z = Math.imul(z, 0x735a_2d97);
    return z ^ (z >>> 15);
  };
}
