/** How the next token is chosen. temperature 0 is greedy; the rest then has no effect but the penalty. */
export interface Sampling {
  /** 0 (greedy) to 2. */
  temperature: number;
  /** Keep the k likeliest; 0 keeps all. */
  topK: number;
  /** Keep the smallest set whose probability reaches p; 1 keeps all (Holtzman et al. 2020). */
  topP: number;
  /** 1 is none (Keskar et al. 2019, CTRL). */
  repetitionPenalty: number;
  /** Same seed, same model, same prompt: same text. 32 bits. */
  seed: number;
}

export const GREEDY: Sampling = { temperature: 0, topK: 0, topP: 1, repetitionPenalty: 1, seed: 0 };

/** Chooses tokens for one sequence; keeps its random state and the tokens seen so far. */
export interface Sampler {
  /** `logits` is [vocabSize] float32 and may be overwritten. */
  next(logits: Float32Array): number;
}
