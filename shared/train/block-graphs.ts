/** The graphs of a model that is trained part by part: embedding, blocks (all by one pair of graphs), head. */
import { outputGradients, PORTS } from './graphs.ts';
import type { Forward } from './model/family.ts';
import type { TrainingConfig } from './model/lora.ts';
import { type BatchShape, familyOf, type Recorded, record, tokenInput } from './model/model.ts';
import { exp, mul, sub } from './tape/elementwise.ts';
import { scatterElementsAdd } from './tape/indexing.ts';
import { reduceLogSumExp } from './tape/reduce.ts';
import type { Tensor } from './tape/tape.ts';

export interface PartGraph {
  onnx: Uint8Array;
  /** The parameters it takes; where it gives gradients, those of the ones that are trained. */
  names: string[];
}

interface Part {
  /** The residual stream before the part; the embedding has none. */
  before?: Tensor;
  after: Tensor;
}

/**
 * `tokens` → `after`, the residual stream [b · t, hiddenSize]. Of the embedding it takes `rows` rows; `tokens` count in
 * them.
 */
export function embeddingForward(config: TrainingConfig, shape: BatchShape, rows: number): PartGraph {
  return forwardOf(record(withVocabulary(config, rows), shape, embedding));
}

/** `tokens`, `gradient.after` → gradients, of the embedding those of `rows` rows; undefined where nothing of it is trained. */
export function embeddingBackward(config: TrainingConfig, shape: BatchShape, rows: number): PartGraph | undefined {
  const recorded = record(withVocabulary(config, rows), shape, embedding);
  return recorded.trained.size > 0 ? backwardOf(recorded) : undefined;
}

/** `before` → `after`. The graph of one layer serves all, with the names of `blockNames` in their order. */
export function blockForward(config: TrainingConfig, shape: BatchShape): PartGraph {
  return forwardOf(record(config, shape, block(0)));
}

/** `before`, `gradient.after` → `gradient.before` and gradients; computes the block again on the way. */
export function blockBackward(config: TrainingConfig, shape: BatchShape): PartGraph {
  return backwardOf(record(config, shape, block(0)));
}

/** The parameters of a block, in the order of its graph's names. */
export function blockNames(config: TrainingConfig, shape: BatchShape, layer: number): string[] {
  return [...record(config, shape, block(layer)).parameters.keys()];
}

/**
 * `before` and `rows` rows of the head's matrix, a tile of the vocabulary → `logits` [b · t, rows] and `log_sum`
 * [b · t, 1], the logarithm of the sum of their exponentials.
 */
export function headTile(config: TrainingConfig, shape: BatchShape, rows: number): PartGraph {
  const { g, result, parameters } = record(withVocabulary(config, rows), shape, head);
  g.output(result.logits, PORTS.logits);
  g.output(reduceLogSumExp(g, result.logits), PORTS.logSum);
  return { onnx: g.encode(), names: [...parameters.keys()] };
}

/**
 * The gradient of the cross-entropy by a tile: `before`, the tile's `logits`, `log_sum` over all tiles, `weight` of each
 * row's target in the mean; `target` int32, its column in the tile, and `hit`, minus the weight if it is there and 0
 * otherwise (all [b · t, 1]) → `gradient.before` and gradients.
 */
export function headTileBackward(config: TrainingConfig, shape: BatchShape, rows: number): PartGraph {
  const { g, result, parameters, trained } = record(withVocabulary(config, rows), shape, head);
  const { before, logits } = result;
  const column = [logits.shape[0]!, 1];
  const [logSum, weight, hit] = [PORTS.logSum, PORTS.weight, PORTS.hit].map((name) => g.input(name, column));
  const probabilities = exp(g, sub(g, g.input(PORTS.logits, logits.shape), logSum!));
  const target = g.input(PORTS.target, column, 'int32');
  const seed = scatterElementsAdd(g, mul(g, probabilities, weight!), target, hit!);
  outputGradients(g, new Map([[logits, seed]]), new Map([[PORTS.before, before], ...trained]));
  return { onnx: g.encode(), names: [...parameters.keys()] };
}

/** Some rows of the embedding and of the head's matrix are a model with a vocabulary of so many. */
function withVocabulary(config: TrainingConfig, rows: number): TrainingConfig {
  return { ...config, vocabSize: rows };
}

function head(f: Forward): { before: Tensor; logits: Tensor } {
  const before = stream(f);
  return { before, logits: familyOf(f.config).head(f, before) };
}

function embedding(f: Forward): Part {
  return { after: familyOf(f.config).embedding(f, tokenInput(f)) };
}

function block(layer: number): (f: Forward) => Part {
  return (f) => {
    const before = stream(f);
    return { before, after: familyOf(f.config).block(f, layer, before) };
  };
}

function stream({ g, config, batch, sequence }: Forward): Tensor {
  return g.input(PORTS.before, [batch * sequence, config.hiddenSize]);
}

function forwardOf({ g, result, parameters }: Recorded<Part>): PartGraph {
  g.output(result.after, PORTS.after);
  return { onnx: g.encode(), names: [...parameters.keys()] };
}

function backwardOf({ g, result: { before, after }, parameters, trained }: Recorded<Part>): PartGraph {
  const seed = g.input(PORTS.gradient(PORTS.after), after.shape);
  const wrt = new Map([...(before ? [[PORTS.before, before] as const] : []), ...trained]);
  outputGradients(g, new Map([[after, seed]]), wrt);
  return { onnx: g.encode(), names: [...parameters.keys()] };
}
