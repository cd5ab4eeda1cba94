/**
 * How much faster a text comes with drafts of which each is right with its own chance, given all before it were:
 * (1 + Σ_i Π_{j≤i} α_j) / (1 + k·c) for k drafts, where c is the time of one more row in a round trip. For equal chances
 * it is (1 − α^{k+1}) / ((1 − α)(k·c + 1)): Leviathan et al. 2023, “Fast Inference from Transformers via Speculative
 * Decoding”, theorem 3.8.
 */
export function expectedGain(chances: readonly number[], costRatio: number): number {
  let tokens = 1;
  let all = 1;
  for (const chance of chances) {
    all *= chance;
    tokens += all;
  }
  return tokens / (1 + chances.length * costRatio);
}

/** Whether one more draft, right with `chance` after those of `chances`, makes the text faster. */
export function isWorthDrafting(chances: readonly number[], chance: number, costRatio: number): boolean {
  return expectedGain([...chances, chance], costRatio) > expectedGain(chances, costRatio);
}
