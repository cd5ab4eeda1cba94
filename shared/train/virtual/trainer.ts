import { AiloError } from '../../errors/index.ts';
import type { ModelConfig } from '../../model/types.ts';
import type { EngineMemory, TensorEngine } from '../../runtime/tensor-engine.ts';
import { BlockGradient } from '../block-gradient.ts';
import type { Batch } from '../data.ts';
import type { BatchShape } from '../model/model.ts';
import { addSquares, clipScale } from '../optimiser/clip.ts';
import type { Optimiser } from '../optimiser/types.ts';
import { type Buffers, ReadAhead } from '../streams.ts';
import type { StepReport } from '../trainer.ts';
import { SegmentUpdater } from './apply.ts';
import { piecesOf } from './layout.ts';
import type { TrainingState } from './state.ts';

export interface VirtualTrainerOptions {
  engine: TensorEngine;
  config: ModelConfig;
  shape: BatchShape;
  /** Its slots are those of the state. */
  optimiser: Optimiser;
  maxGradientNorm: number;
  state: TrainingState;
  /** Of the head's matrix at once. */
  maxTileValues?: number;
}

/**
 * Trains a model whose weights, gradients and optimiser state lie on a disk: the same steps to the bit as `Trainer`'s
 * block by block, a few blocks of memory instead of several models. A step that was finished before a crash stays so.
 */
export class VirtualTrainer {
  readonly state: TrainingState;
  readonly #gradient: BlockGradient;
  readonly #updater: SegmentUpdater;
  readonly #maxGradientNorm: number;
  readonly #memory: EngineMemory;

  private constructor(options: VirtualTrainerOptions, gradient: BlockGradient, updater: SegmentUpdater) {
    this.state = options.state;
    this.#gradient = gradient;
    this.#updater = updater;
    this.#maxGradientNorm = options.maxGradientNorm;
    this.#memory = options.engine.allocate(2 * this.state.segmentValues);
  }

  /** Completes what a crash left of a finished step. Throws ENGINE_FAILED, STATE_NOT_STORED. */
  static async open(options: VirtualTrainerOptions): Promise<VirtualTrainer> {
    const { engine, config, shape, optimiser, state, maxTileValues } = options;
    const gradient = await BlockGradient.load(engine, config, shape, maxTileValues);
    const trainer = new VirtualTrainer(options, gradient, await SegmentUpdater.load(engine, state, optimiser));
    if (!state.applied) await trainer.#apply();
    return trainer;
  }

  /** One step. Throws TRAINING_DIVERGED (the weights are then those of the step before), ENGINE_FAILED, STATE_NOT_STORED. */
  async step(batch: Batch, learningRate: number): Promise<StepReport> {
    const { state } = this;
    const loss = await this.#gradient.compute(state.weights, batch, state.gradients);
    const gradientNorm = await this.#norm();
    if (!Number.isFinite(loss + gradientNorm)) throw AiloError.of('TRAINING_DIVERGED', { step: state.step + 1 });
    const gradientScale = clipScale(gradientNorm, this.#maxGradientNorm);
    await state.finish({ learningRate, gradientScale, loss, gradientNorm });
    await this.#apply();
    return { loss, gradientNorm };
  }

  async release(): Promise<void> {
    await this.#gradient.release();
    await this.#updater.release();
    this.#memory.free();
  }

  #apply(): Promise<void> {
    return this.#updater.apply(this.state.update!);
  }

  /** Of all gradients; they are scaled only when this is known, so that none can be applied before all are there. */
  async #norm(): Promise<number> {
    const { segmentValues, layout, gradients } = this.state;
    const all = { start: 0, length: layout.values };
    const ranges = [...piecesOf(all, segmentValues)].map(({ at, length }) => [{ start: at, length }]);
    const halves: Buffers = [
      this.#memory.values.subarray(0, segmentValues),
      this.#memory.values.subarray(segmentValues),
    ];
    const reads = new ReadAhead(gradients, ranges, halves);
    let sum = 0;
    for (const _ of ranges) sum = addSquares(await reads.next(), sum);
    return Math.sqrt(sum);
  }
}
