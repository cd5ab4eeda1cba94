/** Values of a row that stands for logits: few enough to send, enough that no other logits have the same by chance. */
export const SKETCH_COLUMNS = 16;

/**
 * A count sketch (Charikar, Chen & Farach-Colton 2002) of logits [vocabSize]: each value, with a sign, goes into one of
 * SKETCH_COLUMNS sums. It keeps distances in expectation, so that logits that are near have sketches that are near.
 */
export function sketch(logits: Float32Array): Float32Array {
  const sums = new Float64Array(SKETCH_COLUMNS);
  for (let id = 0; id < logits.length; id++) {
    const hash = mix(id);
    sums[hash & (SKETCH_COLUMNS - 1)]! += hash & SKETCH_COLUMNS ? logits[id]! : -logits[id]!;
  }
  return Float32Array.from(sums);
}

/** The finaliser of MurmurHash3: neighbours go anywhere. */
function mix(id: number): number {
  let hash = Math.imul(id ^ (id >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return hash ^ (hash >>> 16);
}
