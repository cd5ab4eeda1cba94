/**
 * One worker of a campaign whose model is larger than memory: canonical weights, local weights with the optimiser's state,
 * and error feedback lie on a disk. What was finished before a crash is not done again.
 */
import { concatBytes, hexToBytes } from '@noble/hashes/utils.js';
import * as v from 'valibot';
import { throwIfCancelled } from '../../errors/cancelled.ts';
import { AiloError } from '../../errors/index.ts';
import type { TensorEngine } from '../../runtime/tensor-engine.ts';
import { applyUpdate } from '../aggregate/apply.ts';
import { encodeUpdate } from '../codec/encode.ts';
import type { Chunks } from '../codec/rechunk.ts';
import type { ParameterSpace } from '../codec/space.ts';
import type { ParameterStore } from '../codec/store.ts';
import { parametersOf } from '../model/model.ts';
import { ADAMW, adamW } from '../optimiser/adamw.ts';
import { learningRateAt } from '../optimiser/schedule.ts';
import type { Files, RandomAccessFile } from '../virtual/files.ts';
import { differences, fileStore, hashOfSource, valuesOf } from '../virtual/flat-file.ts';
import { Journal } from '../virtual/journal.ts';
import { layoutOf } from '../virtual/layout.ts';
import { SEGMENT_VALUES } from '../virtual/limits.ts';
import { TrainingState } from '../virtual/state.ts';
import { VirtualTrainer } from '../virtual/trainer.ts';
import { type Campaign, formatsOf, modelOf } from './campaign.ts';
import { unitBatches } from './unit.ts';
import { invalid, type Learner, type WorkOptions, type WorkUnit } from './worker.ts';

const Generation = v.picklist([0, 1]);
const Hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));

/** Which of two files holds what counts. */
const LearnerRecord = v.strictObject({
  /** Of the canonical weights. */
  weights: v.optional(Hash),
  canonical: Generation,
  feedback: Generation,
  /** The unit whose update was made; the other feedback file is what that left. */
  made: v.optional(v.pipe(v.string(), v.maxLength(64))),
});
type LearnerRecord = v.InferOutput<typeof LearnerRecord>;

const NOTHING: LearnerRecord = { canonical: 0, feedback: 0 };

interface Parts {
  files: Files;
  journal: Journal<LearnerRecord>;
  state: TrainingState;
  trainer: VirtualTrainer;
}

export class DiskLearner implements Learner {
  readonly campaign: Campaign;
  readonly #engine: TensorEngine;
  readonly #parts: Parts;
  readonly #values: number;

  private constructor(engine: TensorEngine, campaign: Campaign, parts: Parts) {
    this.campaign = campaign;
    this.#engine = engine;
    this.#parts = parts;
    this.#values = parts.state.layout.values;
  }

  /** Takes up what the files hold; engine and files are closed with it. Throws ENGINE_FAILED, STATE_NOT_STORED. */
  static async create(
    engine: TensorEngine,
    files: Files,
    campaign: Campaign,
    segmentValues = SEGMENT_VALUES,
  ): Promise<DiskLearner> {
    const { batch, sequence, weightDecay, maxGradientNorm } = campaign;
    const config = modelOf(campaign);
    const optimiser = adamW({ ...ADAMW, weightDecay });
    const layout = layoutOf(parametersOf(config));
    const state = await TrainingState.open({ files, layout, slots: optimiser.slots, segmentValues });
    const options = { engine, config, shape: { batch, sequence }, optimiser, maxGradientNorm, state };
    const journal = await Journal.open(await files.open('learner'), LearnerRecord);
    return new DiskLearner(engine, campaign, { files, journal, state, trainer: await VirtualTrainer.open(options) });
  }

  get weightsHash(): string | undefined {
    return this.#record.weights;
  }

  get weightsBytes(): number {
    return this.#values * Float32Array.BYTES_PER_ELEMENT;
  }

  async adopt(weights: Chunks<Uint8Array>, hash: string): Promise<void> {
    const file = await this.#empty('canonical', other(this.#record.canonical));
    let at = 0;
    for await (const chunk of weights) {
      await file.write(at, chunk);
      at += chunk.length;
    }
    if (at !== this.weightsBytes) throw invalid('the weights have another size');
    await this.#take(file, hash, 'the weights are not those of their hash');
  }

  async advance(delta: Uint8Array, hash: string): Promise<void> {
    const file = await this.#empty('canonical', other(this.#record.canonical));
    const next = fileStore(file);
    let start = 0;
    for await (const piece of valuesOf(await this.#canonical(), this.#values)) {
      await next.write(start, piece);
      start += piece.length;
    }
    await applyUpdate([delta], this.#space, formatsOf(this.campaign).downlink, next);
    await this.#take(file, hash, 'it does not lead to the weights that were announced');
  }

  async work(
    { unit, round, seed }: WorkUnit,
    shard: Int32Array,
    { onStep, signal }: WorkOptions = {},
  ): Promise<Uint8Array> {
    const { campaign } = this;
    const { state, trainer } = this.#parts;
    if (this.#record.made !== unit) await this.settle(true);
    const canonical = await this.#canonical();
    const start = `${this.weightsHash} ${unit}`;
    if (state.start !== start) await state.begin(start, valuesOf(canonical, this.#values));
    let step = 0;
    for (const batch of unitBatches(campaign, shard, seed)) {
      step++;
      if (step <= state.localSteps) continue;
      throwIfCancelled(signal);
      const rate = learningRateAt(round * campaign.localSteps + step - 1, campaign.schedule);
      const { loss } = await trainer.step(batch, rate);
      onStep?.({ step, loss });
    }
    return this.#encode({ unit, round }, canonical);
  }

  async settle(counts: boolean): Promise<void> {
    const { made, ...record } = this.#record;
    if (made === undefined) return;
    const feedback = counts ? other(record.feedback) : record.feedback;
    await this.#parts.journal.write({ ...record, feedback });
    await this.#empty('feedback', other(feedback));
  }

  async release(): Promise<void> {
    await this.#parts.trainer.release();
    await this.#engine.close();
    await this.#parts.files.close();
  }

  /** Made again, an update has the same bytes: the feedback from before it is kept until it is settled. */
  async #encode({ unit, round }: Pick<WorkUnit, 'unit' | 'round'>, canonical: ParameterStore): Promise<Uint8Array> {
    const { campaign } = this;
    const { state, files, journal } = this.#parts;
    const header = { campaign: campaign.id, round, unit: hexToBytes(unit), start: hexToBytes(this.weightsHash!) };
    const { made: _, ...record } = this.#record;
    await journal.write(record);
    const left = await this.#empty('feedback', other(record.feedback));
    const { read } = fileStore(await files.open(`feedback.${record.feedback}`));
    const { write } = fileStore(left);
    const deltas = differences(canonical, state.weights, this.#values);
    const chunks: Uint8Array[] = [];
    for await (const chunk of encodeUpdate(header, this.#space, formatsOf(campaign).uplink, deltas, { read, write })) {
      chunks.push(chunk);
    }
    await left.flush();
    await journal.write({ ...record, made: unit });
    return concatBytes(...chunks);
  }

  /** Makes a file that was written the canonical weights, if it is those of the hash. */
  async #take(file: RandomAccessFile, hash: string, reason: string): Promise<void> {
    if ((await hashOfSource(fileStore(file), this.#values)) !== hash) throw invalid(reason);
    await file.flush();
    const record = this.#record;
    const canonical = other(record.canonical);
    await this.#parts.journal.write({ ...record, canonical, weights: hash });
    await this.#empty('canonical', record.canonical);
  }

  async #canonical(): Promise<ParameterStore> {
    if (!this.weightsHash) throw AiloError.of('UPDATE_INVALID', { reason: 'there are no weights yet' });
    return fileStore(await this.#parts.files.open(`canonical.${this.#record.canonical}`));
  }

  async #empty(what: 'canonical' | 'feedback', generation: 0 | 1): Promise<RandomAccessFile> {
    const name = `${what}.${generation}`;
    await this.#parts.files.clear(name);
    return this.#parts.files.open(name);
  }

  get #record(): LearnerRecord {
    return this.#parts.journal.last ?? NOTHING;
  }

  get #space(): ParameterSpace {
    return this.#parts.state.layout.tensors;
  }
}

function other(generation: 0 | 1): 0 | 1 {
  return generation === 0 ? 1 : 0;
}
