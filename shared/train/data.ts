import { AiloError } from '../errors/index.ts';
import type { BatchShape } from './model/model.ts';

/** Token ids and what follows each of them, [batch · sequence], row by row. */
export interface Batch {
  tokens: Int32Array;
  targets: Int32Array;
}

/** Uniform unsigned 32-bit integers. */
export type Random = () => number;

/** The first `share` of a text is trained on, the rest tells how well. Throws TRAINING_DATA_TOO_SHORT. */
export function splitCorpus(tokens: Int32Array, share: number, { sequence }: BatchShape) {
  const cut = Math.floor(tokens.length * share);
  const parts = { training: tokens.subarray(0, cut), validation: tokens.subarray(cut) };
  for (const part of [parts.training, parts.validation]) requireLength(part, sequence);
  return parts;
}

/** The text in equal parts, one for each worker. Throws TRAINING_DATA_TOO_SHORT. */
export function shardsOf(corpus: Int32Array, workers: number, { sequence }: BatchShape): Int32Array[] {
  const size = Math.floor(corpus.length / workers);
  const shards = Array.from({ length: workers }, (_, index) => corpus.subarray(index * size, (index + 1) * size));
  for (const shard of shards) requireLength(shard, sequence);
  return shards;
}

/** Sequences from random places of the text. Throws TRAINING_DATA_TOO_SHORT. */
export function randomBatch(corpus: Int32Array, { batch, sequence }: BatchShape, random: Random): Batch {
  requireLength(corpus, sequence);
  const [tokens, targets] = [new Int32Array(batch * sequence), new Int32Array(batch * sequence)];
  for (let row = 0; row < batch; row++) {
    const start = random() % (corpus.length - sequence);
    tokens.set(corpus.subarray(start, start + sequence), row * sequence);
    targets.set(corpus.subarray(start + 1, start + 1 + sequence), row * sequence);
  }
  return { tokens, targets };
}

/** Targets that the loss is the mean of. */
export function countedTargets({ targets }: Batch): number {
  return targets.reduce((count, target) => count + Number(target >= 0), 0);
}

function requireLength(corpus: Int32Array, sequence: number): void {
  if (corpus.length <= sequence) {
    throw AiloError.of('TRAINING_DATA_TOO_SHORT', { tokens: corpus.length, needed: sequence + 1 });
  }
}
