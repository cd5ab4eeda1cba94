import type { TensorEngine, Tensors, Values } from '../runtime/tensor-engine.ts';
import { headTile, headTileBackward } from './block-graphs.ts';
import { PORTS } from './graphs.ts';
import { HeadLoss, type Tile, tilesOf } from './head-loss.ts';
import { isTrained, type TrainingConfig } from './model/lora.ts';
import type { BatchShape } from './model/model.ts';
import { gradientsOf, type LoadedPart, loadPart, type Pass, readTensors, streamOf } from './part.ts';
import { addTo } from './rows.ts';
import { type Layout, type Range, rowsOf, type VirtualTensor } from './virtual/layout.ts';

interface TileParts {
  forward: LoadedPart;
  backward: LoadedPart;
}

/**
 * The loss of a batch and its gradient, tile by tile of the vocabulary: once over all tiles for the logits, which stay in
 * the engine's memory, and once for the gradients, when the sum over all is known.
 */
export class HeadGradient {
  readonly #engine: TensorEngine;
  /** By the size of a tile: the last may be smaller. */
  readonly #parts: Map<number, TileParts>;
  readonly #tiles: Tile[];
  readonly #matrix: VirtualTensor;
  /** The norm before it. */
  readonly #others: VirtualTensor[];
  /** Of what is trained: all of it, or nothing. */
  readonly #trained: boolean;

  private constructor(
    engine: TensorEngine,
    config: TrainingConfig,
    layout: Layout,
    tiles: Tile[],
    parts: Map<number, TileParts>,
  ) {
    const { names } = parts.get(tiles[0]!.end)!.forward;
    const tensors = names.map((name) => layout.tensor(name));
    this.#engine = engine;
    this.#parts = parts;
    this.#tiles = tiles;
    this.#matrix = tensors.find(({ shape }) => shape.length === 2)!;
    this.#others = tensors.filter((tensor) => tensor !== this.#matrix);
    this.#trained = isTrained(config, this.#matrix.name);
  }

  /** `maxTileValues`: of the head's matrix at once. Throws ENGINE_FAILED. */
  static async load(
    engine: TensorEngine,
    config: TrainingConfig,
    shape: BatchShape,
    layout: Layout,
    maxTileValues: number,
  ): Promise<HeadGradient> {
    const tiles = tilesOf(config.vocabSize, Math.max(1, Math.floor(maxTileValues / config.hiddenSize)));
    const parts = new Map<number, TileParts>();
    for (const rows of new Set(tiles.map(({ start, end }) => end - start))) {
      const forward = await loadPart(engine, headTile(config, shape, rows));
      parts.set(rows, { forward, backward: await loadPart(engine, headTileBackward(config, shape, rows)) });
    }
    return new HeadGradient(engine, config, layout, tiles, parts);
  }

  /** What it reads of the weights, in order; the second half is also what it writes of the gradients. */
  get ranges(): Range[] {
    const tiles = this.#tiles.map(({ start, end }) => rowsOf(this.#matrix, start, end));
    return [...tiles, ...tiles];
  }

  /** `before` is the residual stream after the last block; `dx` the gradient by it. */
  async compute(pass: Pass, before: Values, targets: Int32Array): Promise<{ loss: number; dx: Values }> {
    const norm = { ...(await readTensors(pass.weights, this.#others)), [PORTS.before]: before };
    const memory = this.#engine.allocate(targets.length * this.#matrix.shape[0]!);
    const logitsOf = ({ start, end }: Tile): Values => ({
      data: memory.values.subarray(targets.length * start, targets.length * end),
      shape: [targets.length, end - start],
    });
    try {
      const head = new HeadLoss(targets);
      for (const tile of this.#tiles) {
        const logits = logitsOf(tile);
        const inputs = { ...norm, ...this.#rows(tile, await pass.reads.next()) };
        const outputs = await this.#partsOf(tile).forward.graph.run(inputs, { [PORTS.logits]: logits });
        head.add(tile, logits.data as Float32Array, outputs[PORTS.logSum]!);
      }
      const summed = Object.entries(norm).filter(([name]) => this.#trained || name === PORTS.before);
      const sums = new Map(summed.map(([name, { data }]) => [name, new Float32Array(data.length)]));
      for (const tile of this.#tiles) {
        const inputs = { ...norm, ...lossInputs(head, tile), [PORTS.logits]: logitsOf(tile) };
        const outputs = await this.#back(pass, tile, inputs);
        for (const [name, sum] of sums) addTo(sum, outputs[PORTS.gradient(name)]!);
      }
      if (this.#trained) {
        for (const { name, start } of this.#others) await pass.gradients.write(start, sums.get(name)!);
      }
      return { loss: head.loss, dx: streamOf(sums.get(PORTS.before)!, this.#matrix.shape[1]!) };
    } finally {
      memory.free();
    }
  }

  async release(): Promise<void> {
    for (const { forward, backward } of this.#parts.values()) {
      await forward.graph.release();
      await backward.graph.release();
    }
  }

  async #back({ reads, writes }: Pass, tile: Tile, inputs: Tensors): Promise<Record<string, Float32Array>> {
    const { start, length } = rowsOf(this.#matrix, tile.start, tile.end);
    const all = { ...inputs, ...this.#rows(tile, await reads.next()) };
    const { graph } = this.#partsOf(tile).backward;
    if (!this.#trained) return graph.run(all);
    const gradient = await writes.take(length);
    const outputs = await graph.run(all, gradientsOf(this.#rows(tile, gradient)));
    writes.write(start, gradient);
    return outputs;
  }

  #partsOf({ start, end }: Tile): TileParts {
    return this.#parts.get(end - start)!;
  }

  /** A tile of the matrix under the matrix's name. */
  #rows({ start, end }: Tile, data: Float32Array): Tensors {
    return { [this.#matrix.name]: { data, shape: [end - start, this.#matrix.shape[1]!] } };
  }
}

/** What the gradient of a tile needs of the others. */
function lossInputs(head: HeadLoss, tile: Tile): Tensors {
  const column = (data: Values['data']): Values => ({ data, shape: [data.length, 1] });
  const { column: target, hit } = head.hits(tile);
  return {
    [PORTS.logSum]: column(head.logSums),
    [PORTS.weight]: column(head.weight),
    [PORTS.target]: column(target),
    [PORTS.hit]: column(hit),
  };
}
