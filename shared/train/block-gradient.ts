import type { EngineMemory, TensorEngine, Values } from '../runtime/tensor-engine.ts';
import { blockBackward, blockForward, blockNames } from './block-graphs.ts';
import type { ParameterSource, ParameterStore } from './codec/store.ts';
import type { Batch } from './data.ts';
import { EmbeddingGradient } from './embedding-gradient.ts';
import { PORTS } from './graphs.ts';
import { HeadGradient } from './head-gradient.ts';
import { isTrained, type TrainingConfig } from './model/lora.ts';
import { type BatchShape, parametersOf, trainedOf } from './model/model.ts';
import { gradientsOf, type LoadedPart, loadPart, type Pass, streamOf, tensorsIn } from './part.ts';
import { ReadAhead, WriteBehind } from './streams.ts';
import { type Layout, layoutOf, type Selection, select } from './virtual/layout.ts';
import { MAX_HEAD_TILE_VALUES } from './virtual/limits.ts';

interface Block {
  weights: Selection;
  /** Of the trained layout: one run. */
  gradients: Selection;
}

interface Parts {
  embedding: EmbeddingGradient;
  forward: LoadedPart;
  backward: LoadedPart;
  head: HeadGradient;
}

/**
 * The gradient of a model block by block (Chen et al. 2016), over weights and gradients that may lie on a disk: of the way
 * forward only the inputs of the blocks are kept, and a block is computed again when its gradient is due. One pair of
 * graphs serves all blocks. In memory are weights and gradients of two parts each, one that is computed and one that is
 * under way from or to its store, the inputs of all blocks, and the engine's values of one part.
 */
export class BlockGradient {
  /** Of all parameters, and of those that are trained. */
  readonly layout: Layout;
  readonly trained: Layout;
  readonly #parts: Parts;
  readonly #blocks: Block[];
  readonly #hiddenSize: number;
  readonly #tied: boolean;
  readonly #memory: EngineMemory[];

  private constructor(engine: TensorEngine, config: TrainingConfig, shape: BatchShape, layout: Layout, parts: Parts) {
    this.layout = layout;
    this.trained = layoutOf(trainedOf(config));
    this.#parts = parts;
    this.#blocks = Array.from({ length: config.layers }, (_, layer) => {
      const names = blockNames(config, shape, layer);
      const trained = names.filter((name) => isTrained(config, name));
      return { weights: select(layout, names), gradients: select(this.trained, trained) };
    });
    this.#hiddenSize = config.hiddenSize;
    this.#tied = config.tiedHead;
    const blocks = this.#blocks.map(({ weights }) => weights.values);
    const largest = Math.max(...blocks, ...parts.head.ranges.map(({ length }) => length));
    this.#memory = Array.from({ length: 4 }, () => engine.allocate(largest));
  }

  /** `maxTileValues`: of the head's matrix at once. Throws ENGINE_FAILED. */
  static async load(
    engine: TensorEngine,
    config: TrainingConfig,
    shape: BatchShape,
    maxTileValues = MAX_HEAD_TILE_VALUES,
  ): Promise<BlockGradient> {
    const layout = layoutOf(parametersOf(config));
    return new BlockGradient(engine, config, shape, layout, {
      embedding: await EmbeddingGradient.load(engine, config, shape, layout),
      forward: await loadPart(engine, blockForward(config, shape)),
      backward: await loadPart(engine, blockBackward(config, shape)),
      head: await HeadGradient.load(engine, config, shape, layout, maxTileValues),
    });
  }

  /**
   * The loss of a batch, in nats per token; its gradient by every parameter is written to `gradients`. Throws
   * ENGINE_FAILED and what the stores throw.
   */
  async compute(weights: ParameterSource, { tokens, targets }: Batch, gradients: ParameterStore): Promise<number> {
    const { embedding, head } = this.#parts;
    const [a, b, c, d] = this.#memory.map(({ values }) => values) as Four;
    const blocks = this.#blocks.map(({ weights }) => weights.ranges);
    const selections = [...blocks, ...head.ranges.map((range) => [range]), ...blocks.toReversed()];
    const reads = new ReadAhead(weights, selections, [a, b]);
    const writes = new WriteBehind(gradients, [c, d]);
    const pass: Pass = { weights, gradients, reads, writes };
    try {
      const befores: Values[] = [];
      let x = await embedding.forward(weights, tokens);
      for (const _ of this.#blocks) {
        befores.push(x);
        x = await this.#forward(pass, x);
      }
      const top = await head.compute(pass, x, targets);
      let { dx } = top;
      for (const block of this.#blocks.toReversed()) dx = await this.#backward(pass, block, befores.pop()!, dx);
      await writes.finish();
      await embedding.backward(gradients, tokens, dx, this.#tied);
      return top.loss;
    } finally {
      await reads.settled();
      await writes.settled();
    }
  }

  async release(): Promise<void> {
    const { embedding, forward, backward, head } = this.#parts;
    for (const part of [embedding, forward.graph, backward.graph, head]) await part.release();
    for (const memory of this.#memory) memory.free();
  }

  async #forward({ reads }: Pass, x: Values): Promise<Values> {
    const inputs = { ...this.#weights(await reads.next()), [PORTS.before]: x };
    const outputs = await this.#parts.forward.graph.run(inputs);
    return streamOf(outputs[PORTS.after]!, this.#hiddenSize);
  }

  async #backward({ reads, writes }: Pass, { gradients }: Block, before: Values, dx: Values): Promise<Values> {
    const inputs = { ...this.#weights(await reads.next()), [PORTS.before]: before, [PORTS.gradient(PORTS.after)]: dx };
    const gradient = await writes.take(gradients.values);
    const into = gradientsOf(tensorsIn(gradient, this.#blocks[0]!.gradients));
    const outputs = await this.#parts.backward.graph.run(inputs, into);
    writes.write(gradients.ranges[0]!.start, gradient);
    return streamOf(outputs[PORTS.gradient(PORTS.before)]!, this.#hiddenSize);
  }

  /** A block's weights under the names of the first block's, which lie in the same places. */
  #weights(values: Float32Array) {
    return tensorsIn(values, this.#blocks[0]!.weights);
  }
}

type Four = [Float32Array, Float32Array, Float32Array, Float32Array];
