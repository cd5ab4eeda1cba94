import { AiloError } from '../errors/index.ts';
import type { ModelConfig } from '../model/types.ts';
import type { LoadedGraph, TensorEngine, Values } from '../runtime/tensor-engine.ts';
import type { Batch } from './data.ts';
import { gradientGraph, normGraph, PORTS, updateGraph } from './graphs.ts';
import { MAX_UPDATE_VALUES } from './limits.ts';
import type { Parameter } from './model/family.ts';
import { type BatchShape, parametersOf } from './model/model.ts';
import { clipScale } from './optimiser/clip.ts';
import type { Optimiser } from './optimiser/types.ts';
import { memoryStore, type TensorStore, zeroValues } from './store.ts';
import { sizeOf } from './tape/tape.ts';

export interface TrainerOptions {
  engine: TensorEngine;
  config: ModelConfig;
  shape: BatchShape;
  optimiser: Optimiser;
  /** The global norm that gradients are clipped to. */
  maxGradientNorm: number;
  weights: TensorStore;
}

export interface StepReport {
  /** Of the batch before the step, nats per token. */
  loss: number;
  /** Global norm of the gradient before clipping. */
  gradientNorm: number;
}

/** Parameters that one run of the optimiser changes. */
interface Group {
  parameters: Parameter[];
  norm: LoadedGraph;
  update: LoadedGraph;
}

/** Trains a model: the whole of it as one graph, then the optimiser by groups of tensors. */
export class Trainer {
  readonly #options: TrainerOptions;
  readonly #parameters: Parameter[];
  readonly #gradient: LoadedGraph;
  readonly #groups: Group[];
  /** The optimiser's slots of every parameter, under `PORTS.state`. */
  readonly #state: TensorStore;
  #steps = 0;

  private constructor(options: TrainerOptions, parameters: Parameter[], gradient: LoadedGraph, groups: Group[]) {
    this.#options = options;
    this.#parameters = parameters;
    this.#gradient = gradient;
    this.#groups = groups;
    const slots = options.optimiser.slots.flatMap((slot) =>
      parameters.map((parameter) => ({ ...parameter, name: PORTS.state(slot, parameter.name) })),
    );
    this.#state = memoryStore(slots, zeroValues);
  }

  /** Builds and loads the graphs. Throws ENGINE_FAILED. */
  static async create(options: TrainerOptions): Promise<Trainer> {
    const { engine, config, shape, optimiser } = options;
    const parameters = parametersOf(config);
    const groups: Group[] = [];
    for (const group of groupsOf(parameters, MAX_UPDATE_VALUES)) {
      const norm = await engine.load(normGraph(group));
      groups.push({ parameters: group, norm, update: await engine.load(updateGraph(optimiser, group)) });
    }
    return new Trainer(options, parameters, await engine.load(gradientGraph(config, shape)), groups);
  }

  /** One step on one batch. Throws TRAINING_DIVERGED (the weights are then those of the step before), ENGINE_FAILED. */
  async step(batch: Batch, learningRate: number): Promise<StepReport> {
    const { optimiser, maxGradientNorm } = this.#options;
    const { loss, gradients } = await this.#gradients(batch);
    const gradientNorm = await this.#norm(gradients);
    if (!Number.isFinite(loss + gradientNorm)) throw AiloError.of('TRAINING_DIVERGED', { step: this.#steps + 1 });
    this.#steps++;
    const scale = clipScale(gradientNorm, maxGradientNorm);
    const scalars = optimiser.scalarsAt(this.#steps, learningRate, scale);
    for (const group of this.#groups) await this.#update(group, gradients, scalars);
    return { loss, gradientNorm };
  }

  async release(): Promise<void> {
    const graphs = [this.#gradient, ...this.#groups.flatMap(({ norm, update }) => [norm, update])];
    for (const graph of graphs) await graph.release();
  }

  async #gradients({ tokens, targets }: Batch): Promise<{ loss: number; gradients: Record<string, Float32Array> }> {
    const { batch, sequence } = this.#options.shape;
    const outputs = await this.#gradient.run({
      ...(await weightInputs(this.#options.weights, this.#parameters)),
      [PORTS.tokens]: { data: tokens, shape: [batch, sequence] },
      [PORTS.targets]: { data: targets, shape: [batch * sequence] },
    });
    const { [PORTS.loss]: loss, ...gradients } = outputs;
    return { loss: loss![0]!, gradients };
  }

  async #norm(gradients: Record<string, Float32Array>): Promise<number> {
    let sum = 0;
    for (const { parameters, norm } of this.#groups) {
      sum += (await norm.run(gradientInputs(gradients, parameters)))[PORTS.squaredNorm]![0]!;
    }
    return Math.sqrt(sum);
  }

  async #update(
    { parameters, update }: Group,
    gradients: Record<string, Float32Array>,
    scalars: Record<string, number>,
  ): Promise<void> {
    const { weights, optimiser } = this.#options;
    const slots = optimiser.slots.flatMap((slot) =>
      parameters.map(({ name, ...rest }) => ({ ...rest, name: PORTS.state(slot, name) })),
    );
    const updated = await update.run({
      ...(await weightInputs(weights, parameters)),
      ...(await weightInputs(this.#state, slots)),
      ...gradientInputs(gradients, parameters),
      ...Object.fromEntries(Object.entries(scalars).map(([name, value]) => [name, scalar(value)])),
    });
    for (const { name } of parameters) await weights.write(name, updated[PORTS.updated(name)]!);
    for (const { name } of slots) await this.#state.write(name, updated[PORTS.updated(name)]!);
  }
}

/** Neighbouring parameters together, each group of at most `maxValues` values or a single parameter. */
export function groupsOf(parameters: readonly Parameter[], maxValues: number): Parameter[][] {
  const groups: Parameter[][] = [];
  let values = Number.POSITIVE_INFINITY;
  for (const parameter of parameters) {
    const size = sizeOf(parameter.shape);
    values += size;
    if (values > maxValues) {
      groups.push([]);
      values = size;
    }
    groups.at(-1)!.push(parameter);
  }
  return groups;
}

/** The tensors of a store as inputs of a graph, under their own names. */
export async function weightInputs(
  store: TensorStore,
  parameters: readonly Parameter[],
): Promise<Record<string, Values>> {
  const inputs: Record<string, Values> = {};
  for (const { name, shape } of parameters) inputs[name] = { data: await store.read(name), shape };
  return inputs;
}

function gradientInputs(gradients: Record<string, Float32Array>, parameters: Parameter[]): Record<string, Values> {
  const ports = parameters.map(({ name, shape }): [string, Values] => {
    const port = PORTS.gradient(name);
    return [port, { data: gradients[port]!, shape }];
  });
  return Object.fromEntries(ports);
}

function scalar(value: number): Values {
  return { data: Float32Array.of(value), shape: [] };
}
