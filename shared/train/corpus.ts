import { type Batch, type Random, randomBatch, shardsOf, splitCorpus } from './data.ts';
import type { BatchShape } from './model/model.ts';

/** What is trained on. All throw TRAINING_DATA_TOO_SHORT. */
export interface Corpus {
  /** The first `share` is trained on, the rest tells how well. */
  split(share: number, shape: BatchShape): { training: Corpus; validation: Corpus };
  /** Equal parts, one for each worker. */
  shards(workers: number, shape: BatchShape): Corpus[];
  randomBatch(shape: BatchShape, random: Random): Batch;
}

/** One long text as its tokens. */
export function textCorpus(tokens: Int32Array): Corpus {
  return {
    split(share, shape) {
      const { training, validation } = splitCorpus(tokens, share, shape);
      return { training: textCorpus(training), validation: textCorpus(validation) };
    },
    shards: (workers, shape) => shardsOf(tokens, workers, shape).map(textCorpus),
    randomBatch: (shape, random) => randomBatch(tokens, shape, random),
  };
}
