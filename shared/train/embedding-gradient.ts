import type { TensorEngine, Values } from '../runtime/tensor-engine.ts';
import { embeddingBackward, embeddingForward } from './block-graphs.ts';
import type { ParameterSource, ParameterStore } from './codec/store.ts';
import { PORTS } from './graphs.ts';
import type { TrainingConfig } from './model/lora.ts';
import type { BatchShape } from './model/model.ts';
import { type LoadedPart, loadPart, readTensors, streamOf } from './part.ts';
import { addRows, readRows, rowsToRead } from './rows.ts';
import type { Layout, VirtualTensor } from './virtual/layout.ts';

/** Values that are set to 0 at once. */
const CLEARED = 2 ** 20;

/** The embedding of a batch and its gradient, of which only the rows that the batch has are read or computed. */
export class EmbeddingGradient {
  readonly #shape: BatchShape;
  readonly #forward: LoadedPart;
  /** Undefined where nothing of it is trained. */
  readonly #backward: LoadedPart | undefined;
  /** By token id. */
  readonly #table: VirtualTensor;
  /** Positions, where the family has them. */
  readonly #others: VirtualTensor[];
  readonly #rows: number;

  private constructor(layout: Layout, shape: BatchShape, rows: number, forward: LoadedPart, backward?: LoadedPart) {
    this.#shape = shape;
    this.#forward = forward;
    this.#backward = backward;
    this.#table = layout.tensors[0]!;
    this.#others = forward.names.filter((name) => name !== this.#table.name).map((name) => layout.tensor(name));
    this.#rows = rows;
  }

  /** Throws ENGINE_FAILED. */
  static async load(
    engine: TensorEngine,
    config: TrainingConfig,
    shape: BatchShape,
    layout: Layout,
  ): Promise<EmbeddingGradient> {
    const rows = Math.min(shape.batch * shape.sequence, config.vocabSize);
    const forward = await loadPart(engine, embeddingForward(config, shape, rows));
    const backward = embeddingBackward(config, shape, rows);
    return new EmbeddingGradient(layout, shape, rows, forward, backward && (await loadPart(engine, backward)));
  }

  /** The residual stream before the first block. */
  async forward(weights: ParameterSource, tokens: Int32Array): Promise<Values> {
    const rows = rowsToRead(tokens);
    const table = this.#emptyRows();
    await readRows(weights, this.#table, rows, table.data as Float32Array);
    const inputs = { ...(await readTensors(weights, this.#others)), [this.#table.name]: table };
    const outputs = await this.#forward.graph.run({ ...inputs, [PORTS.tokens]: this.#indices(rows.indices) });
    return streamOf(outputs[PORTS.after]!, this.#table.shape[1]!);
  }

  /** Writes the gradients. What is there of the table's already, from a tied head, is added to. */
  async backward(gradients: ParameterStore, tokens: Int32Array, dx: Values, tied: boolean): Promise<void> {
    if (!this.#backward) return;
    const rows = rowsToRead(tokens);
    const inputs: Record<string, Values> = {
      [PORTS.tokens]: this.#indices(rows.indices),
      [PORTS.gradient(PORTS.after)]: dx,
      [this.#table.name]: this.#emptyRows(),
    };
    // The gradient does not depend on them.
    for (const { name, shape, length } of this.#others) inputs[name] = { data: new Float32Array(length), shape };
    const outputs = await this.#backward.graph.run(inputs);
    for (const { name, start } of this.#others) await gradients.write(start, outputs[PORTS.gradient(name)]!);
    if (!tied) await clear(gradients, this.#table);
    await addRows(gradients, this.#table, rows, outputs[PORTS.gradient(this.#table.name)]!);
  }

  async release(): Promise<void> {
    await this.#forward.graph.release();
    await this.#backward?.graph.release();
  }

  #emptyRows(): Values {
    const columns = this.#table.shape[1]!;
    return { data: new Float32Array(this.#rows * columns), shape: [this.#rows, columns] };
  }

  #indices(data: Int32Array): Values {
    return { data, shape: [this.#shape.batch, this.#shape.sequence] };
  }
}

async function clear(store: ParameterStore, { start, length }: VirtualTensor): Promise<void> {
  const zeros = new Float32Array(Math.min(CLEARED, length));
  for (let at = 0; at < length; at += zeros.length) {
    await store.write(start + at, zeros.subarray(0, Math.min(zeros.length, length - at)));
  }
}
