/** The graphs of a model that is trained part by part: embedding, blocks (all by one pair of graphs), head. */
import { outputGradients, PORTS, withLoss } from './graphs.ts';
import type { Forward } from './model/family.ts';
import type { TrainingConfig } from './model/lora.ts';
import { type BatchShape, familyOf, type Recorded, record, tokenInput } from './model/model.ts';
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

/** `tokens` → `after`, the residual stream [b · t, hiddenSize]. */
export function embeddingForward(config: TrainingConfig, shape: BatchShape): PartGraph {
  return forwardOf(record(config, shape, embedding));
}

/** `tokens`, `gradient.after` → gradients; undefined where nothing of it is trained. */
export function embeddingBackward(config: TrainingConfig, shape: BatchShape): PartGraph | undefined {
  const recorded = record(config, shape, embedding);
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

/** `before`, `targets` → `loss`, `gradient.before` and gradients. */
export function headGraph(config: TrainingConfig, shape: BatchShape): PartGraph {
  const { g, result, parameters, trained } = record(config, shape, (f) => {
    const before = stream(f);
    return { before, ...withLoss(f, familyOf(config).head(f, before)) };
  });
  const wrt = new Map([[PORTS.before, result.before], ...trained]);
  outputGradients(g, new Map([[result.logits, result.gradient()]]), wrt);
  return { onnx: g.encode(), names: [...parameters.keys()] };
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
