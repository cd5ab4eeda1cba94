import { AiloError } from '../errors/index.ts';
import type { Values } from '../runtime/tensor-engine.ts';
import type { Batch } from './data.ts';
import { PORTS } from './graphs.ts';
import type { Parameter } from './model/family.ts';
import { addSquares, clipScale } from './optimiser/clip.ts';
import type { Optimiser } from './optimiser/types.ts';
import type { Group, StepGraphs } from './step-graphs.ts';
import { memoryStore, type TensorStore, weightInputs, zeroValues } from './store.ts';

export interface StepReport {
  /** Of the batch before the step, nats per token. */
  loss: number;
  /** Global norm of the gradient before clipping. */
  gradientNorm: number;
}

export interface TrainerOptions {
  weights: TensorStore;
  /** The tensors of `slotsOf`, all zero in the beginning; in memory without one. */
  state?: TensorStore;
  /** The global norm that gradients are clipped to. */
  maxGradientNorm: number;
}

/** Trains weights step by step, and keeps the optimiser's state of them. */
export class Trainer {
  readonly #graphs: StepGraphs;
  readonly #weights: TensorStore;
  readonly #maxGradientNorm: number;
  readonly #state: TensorStore;
  #steps = 0;

  constructor(graphs: StepGraphs, { weights, state, maxGradientNorm }: TrainerOptions) {
    this.#graphs = graphs;
    this.#weights = weights;
    this.#maxGradientNorm = maxGradientNorm;
    this.#state = state ?? memoryStore(slotsOf(graphs.optimiser, graphs.parameters), zeroValues);
  }

  /** One step on one batch. Throws TRAINING_DIVERGED (the weights are then those of the step before), ENGINE_FAILED. */
  async step(batch: Batch, learningRate: number): Promise<StepReport> {
    const { loss, gradients } = await this.#graphs.gradient.compute(this.#weights, batch);
    const gradientNorm = Math.sqrt(
      this.#graphs.parameters.reduce((sum, { name }) => addSquares(gradients.get(name)!, sum), 0),
    );
    if (!Number.isFinite(loss + gradientNorm)) throw AiloError.of('TRAINING_DIVERGED', { step: this.#steps + 1 });
    this.#steps++;
    const scale = clipScale(gradientNorm, this.#maxGradientNorm);
    const scalars = this.#graphs.optimiser.scalarsAt(this.#steps, learningRate, scale);
    for (const group of this.#graphs.groups) await this.#update(group, gradients, scalars);
    return { loss, gradientNorm };
  }

  async #update(
    { parameters, update }: Group,
    gradients: Map<string, Float32Array>,
    scalars: Record<string, number>,
  ): Promise<void> {
    const slots = slotsOf(this.#graphs.optimiser, parameters);
    const updated = await update.run({
      ...(await weightInputs(this.#weights, parameters)),
      ...(await weightInputs(this.#state, slots)),
      ...gradientInputs(gradients, parameters),
      ...Object.fromEntries(Object.entries(scalars).map(([name, value]) => [name, scalar(value)])),
    });
    for (const { name } of parameters) await this.#weights.write(name, updated[PORTS.updated(name)]!);
    for (const { name } of slots) await this.#state.write(name, updated[PORTS.updated(name)]!);
  }
}

/** What the optimiser keeps of the parameters, as tensors of their shapes named by `PORTS.state`. */
export function slotsOf({ slots }: Optimiser, parameters: readonly Parameter[]): Parameter[] {
  return slots.flatMap((slot) => parameters.map(({ name, ...rest }) => ({ ...rest, name: PORTS.state(slot, name) })));
}

function gradientInputs(gradients: Map<string, Float32Array>, parameters: Parameter[]): Record<string, Values> {
  return Object.fromEntries(
    parameters.map(({ name, shape }) => [PORTS.gradient(name), { data: gradients.get(name)!, shape }]),
  );
}

function scalar(value: number): Values {
  return { data: Float32Array.of(value), shape: [] };
}
