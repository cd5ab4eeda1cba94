import { seededRandom } from '../../shared/sampler/random.ts';

/** A stage that loses its holder when a token of the answer has arrived. */
export interface Loss {
  stage: number;
  afterToken: number;
}

/** `count` different stages, drawn by the seed, at moments spread over an answer of `tokens`. */
export function drawLosses(count: number, stages: number, tokens: number, seed: number): Loss[] {
  const random = seededRandom(seed);
  const left = Array.from({ length: stages }, (_, stage) => stage);
  return Array.from({ length: Math.min(count, stages) }, (_, i) => ({
    stage: left.splice(random() % left.length, 1)[0]!,
    afterToken: Math.floor(((i + 1) * tokens) / (count + 2)),
  }));
}
