/** Values of a row that stands for logits: few enough to send, enough that no other logits have the same by chance. */
export const SKETCH_COLUMNS = 16;

/**
 * A count sketch (Charikar, Chen & Farach-Colton 2002) of logits [vocabSize]: each value, with a sign, goes into one of
 * SKETCH_COLUMNS sums. It keeps distances in expectation, so that logits that are near have sketches that are near.
 */
export function sketch(logits: Float32Array): Float32Array {
  const places = placesOf(logits.length);
  // Sums of what counts less and of what counts more: to branch on a sign that nobody can guess takes longer than all else.
  const sums = new Float64Array(2 * SKETCH_COLUMNS);
  for (let id = 0; id < logits.length; id++) sums[places[id]!]! += logits[id]!;
  return Float32Array.from({ length: SKETCH_COLUMNS }, (_, column) => sums[SKETCH_COLUMNS + column]! - sums[column]!);
}

let known = new Uint8Array();

/** For each token its sum, of twice SKETCH_COLUMNS: those of the second half count as they are, the others with a minus. */
function placesOf(vocabSize: number): Uint8Array {
  if (known.length < vocabSize)
    known = Uint8Array.from({ length: vocabSize }, (_, id) => mix(id) & (2 * SKETCH_COLUMNS - 1));
  return known;
}

/** The finaliser of MurmurHash3: neighbours go anywhere. */
function mix(id: number): number {
  let hash = Math.imul(id ^ (id >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return hash ^ (hash >>> 16);
}
