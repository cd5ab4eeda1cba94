/** The graphs of a training step. Parameters, gradients and optimiser state go in and out under the names below. */
import { differentiate } from './autodiff/differentiate.ts';
import { crossEntropy } from './loss.ts';
import type { Parameter } from './model/family.ts';
import type { TrainingConfig } from './model/lora.ts';
import { type BatchShape, forward, record } from './model/model.ts';
import { KEPT, type Optimiser } from './optimiser/types.ts';
import { Tape, type Tensor } from './tape/tape.ts';

export const PORTS = {
  tokens: 'tokens',
  targets: 'targets',
  loss: 'loss',
  /** The residual stream before and after a part of the model. */
  before: 'before',
  after: 'after',
  /** Of a tile of the head. */
  logits: 'logits',
  logSum: 'log_sum',
  target: 'target',
  weight: 'weight',
  hit: 'hit',
  gradient: (of: string) => `gradient.${of}`,
  state: (slot: string, parameter: string) => `${slot}.${parameter}`,
  /** Values of any parameters. */
  parameters: 'parameters',
  updated: (name: string) => `updated.${name}`,
};

/** tokens int32 [b, t], targets int32 [b · t] and the parameters → `loss`. */
export function lossGraph(config: TrainingConfig, shape: BatchShape): Uint8Array {
  return recordLoss(config, shape).g.encode();
}

/** As `lossGraph`, with the gradient by every parameter that is trained. */
export function gradientGraph(config: TrainingConfig, shape: BatchShape): Uint8Array {
  const { g, result, trained } = recordLoss(config, shape);
  outputGradients(g, new Map([[result.logits, result.gradient()]]), trained);
  return g.encode();
}

/** Records the gradients by the parameters and makes them outputs. */
export function outputGradients(
  g: Tape,
  seeds: ReadonlyMap<Tensor, Tensor>,
  parameters: ReadonlyMap<string, Tensor>,
): void {
  const gradients = differentiate(g, seeds, [...parameters.values()]);
  for (const [index, name] of [...parameters.keys()].entries()) g.output(gradients[index]!, PORTS.gradient(name));
}

/**
 * Some parameters, their gradients and the optimiser's state and scalars → the parameters and state after the step.
 * Matrices decay, vectors (norms, biases) don't.
 */
export function updateGraph(optimiser: Optimiser, parameters: readonly Parameter[]): Uint8Array {
  const g = new Tape();
  const scalars = Object.fromEntries(optimiser.scalars.map((name) => [name, g.input(name, [])]));
  for (const { name, shape } of parameters) {
    const slots = optimiser.slots.map((slot) => PORTS.state(slot, name));
    const parts: [Tensor, ...Tensor[]] = [g.input(name, shape), ...slots.map((slot) => g.input(slot, shape))];
    const gradient = g.input(PORTS.gradient(name), shape);
    const updated = optimiser.update(g, parts, gradient, scalars, shape.length >= 2);
    for (const [index, port] of [name, ...slots].entries()) g.output(updated[index]!, PORTS.updated(port));
  }
  return g.encode();
}

/**
 * The same for `values` values of any parameters side by side. Which of them decay stands in `kept`, which is [values]
 * here and 1 for those that don't.
 */
export function flatUpdateGraph(optimiser: Optimiser, values: number): Uint8Array {
  const g = new Tape();
  const shape = [values];
  const scalars = Object.fromEntries(
    optimiser.scalars.map((name) => [name, g.input(name, name === KEPT ? shape : [])]),
  );
  const parts: [Tensor, ...Tensor[]] = [
    g.input(PORTS.parameters, shape),
    ...optimiser.slots.map((slot) => g.input(slot, shape)),
  ];
  const gradient = g.input(PORTS.gradient(PORTS.parameters), shape);
  const updated = optimiser.update(g, parts, gradient, scalars, true);
  for (const [index, { name }] of parts.entries()) g.output(updated[index]!, PORTS.updated(name));
  return g.encode();
}

function recordLoss(config: TrainingConfig, shape: BatchShape) {
  return record(config, shape, (f) => {
    const logits = forward(f);
    const targets = f.g.input(PORTS.targets, [shape.batch * shape.sequence], 'int32');
    const { loss, gradient } = crossEntropy(f.g, logits, targets);
    f.g.output(loss, PORTS.loss);
    return { logits, gradient };
  });
}
