import { throwIfCancelled } from '../errors/cancelled.ts';
import type { LoadedGraph, TensorEngine } from '../runtime/tensor-engine.ts';
import { type Batch, countedTargets } from './data.ts';
import { batchInputs } from './gradient.ts';
import { lossGraph, PORTS } from './graphs.ts';
import type { TrainingConfig } from './model/lora.ts';
import { type BatchShape, parametersOf } from './model/model.ts';
import { type TensorStore, weightInputs } from './store.ts';

export interface Evaluation {
  /** Nats per token. */
  loss: number;
  /** Tokens that were predicted. */
  tokens: number;
}

/** Measures how well weights predict, without changing them. */
export class Evaluator {
  readonly #graph: LoadedGraph;
  readonly #config: TrainingConfig;
  readonly #shape: BatchShape;

  private constructor(graph: LoadedGraph, config: TrainingConfig, shape: BatchShape) {
    this.#graph = graph;
    this.#config = config;
    this.#shape = shape;
  }

  /** Throws ENGINE_FAILED. */
  static async create(engine: TensorEngine, config: TrainingConfig, shape: BatchShape): Promise<Evaluator> {
    return new Evaluator(await engine.load(lossGraph(config, shape)), config, shape);
  }

  /** The mean over all targets of the batches that count. Throws CANCELLED, ENGINE_FAILED. */
  async evaluate(weights: TensorStore, batches: Iterable<Batch>, signal?: AbortSignal): Promise<Evaluation> {
    const parameters = await weightInputs(weights, parametersOf(this.#config));
    let [sum, tokens] = [0, 0];
    for (const batch of batches) {
      throwIfCancelled(signal);
      const outputs = await this.#graph.run({
        ...parameters,
        ...batchInputs(batch, this.#shape),
      });
      const count = countedTargets(batch);
      sum += outputs[PORTS.loss]![0]! * count;
      tokens += count;
    }
    return { loss: sum / tokens, tokens };
  }

  release(): Promise<void> {
    return this.#graph.release();
  }
}
