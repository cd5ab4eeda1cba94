/**
 * One worker of a campaign: keeps the canonical weights bit for bit, learns on the units it is given, and makes updates
 * of what it found. Optimiser state and error feedback stay here, from round to round.
 */
import { concatBytes, hexToBytes } from '@noble/hashes/utils.js';
import { throwIfCancelled } from '../../errors/cancelled.ts';
import { AiloError } from '../../errors/index.ts';
import type { TensorEngine } from '../../runtime/tensor-engine.ts';
import { applyUpdate } from '../aggregate/apply.ts';
import { encodeUpdate } from '../codec/encode.ts';
import type { Chunks } from '../codec/rechunk.ts';
import { type ParameterSpace, spaceValues } from '../codec/space.ts';
import { memoryStore } from '../codec/store.ts';
import { flatStore, hashOfValues, spaceOf } from '../flat.ts';
import { contributionOf } from '../group/contribution.ts';
import { secureRandom } from '../group/noise.ts';
import { placesOf } from '../group/places.ts';
import { parametersOf } from '../model/model.ts';
import { ADAMW, adamW } from '../optimiser/adamw.ts';
import { learningRateAt } from '../optimiser/schedule.ts';
import { loadStepGraphs, type StepGraphs } from '../step-graphs.ts';
import { Trainer } from '../trainer.ts';
import { type Campaign, formatsOf, modelOf } from './campaign.ts';
import { unitBatches } from './unit.ts';

export interface WorkUnit {
  /** 128 bits, hex. */
  unit: string;
  round: number;
  /** Of the choice of the sequences. */
  seed: number;
}

export interface LocalStep {
  /** From 1 to the campaign's local steps. */
  step: number;
  loss: number;
}

/** As the node sees it; it may compute elsewhere. */
export interface Learner {
  readonly campaign: Campaign;
  /** Of the canonical weights, hex; undefined before there are any. */
  readonly weightsHash: string | undefined;
  /** Bytes of the canonical weights. */
  readonly weightsBytes: number;
  /** Takes over canonical weights, f32 little-endian, in order. Throws UPDATE_INVALID for others than those of `hash`. */
  adopt(weights: Chunks<Uint8Array>, hash: string): Promise<void>;
  /** Goes on to the weights of the next round. Throws UPDATE_INVALID, when the weights are those before. */
  advance(delta: Uint8Array, hash: string): Promise<void>;
  /**
   * The update that the unit's local steps make of the canonical weights; in a campaign of local texts, the whole
   * numbers (int32) that it adds to a group's sum. `settle` says later whether it counts.
   * Throws TRAINING_DIVERGED, CANCELLED, ENGINE_FAILED.
   */
  work(unit: WorkUnit, shard: Int32Array, options?: WorkOptions): Promise<Uint8Array>;
  /** What was sent counts, or never will: then what it held back is forgotten with it. */
  settle(counts: boolean): Promise<void>;
  /** Frees everything. */
  release(): Promise<void>;
}

export interface WorkOptions {
  onStep?(step: LocalStep): void;
  signal?: AbortSignal;
}

export class CampaignWorker implements Learner {
  readonly campaign: Campaign;
  weightsHash: string | undefined;
  readonly #space: ParameterSpace;
  readonly #graphs: StepGraphs;
  readonly #engine: TensorEngine;
  readonly #trainer: Trainer;
  /** What the optimiser works on. */
  readonly #local: Float32Array;
  #canonical: Float32Array;
  #feedback: Float32Array;
  /** The feedback as it was before the last update, until that is known to count. */
  #before: Float32Array | undefined;
  /** Of the noise. */
  readonly #random = secureRandom();

  private constructor(campaign: Campaign, space: ParameterSpace, graphs: StepGraphs, engine: TensorEngine) {
    const values = spaceValues(space);
    this.campaign = campaign;
    this.#space = space;
    this.#graphs = graphs;
    this.#engine = engine;
    this.#local = new Float32Array(values);
    this.#canonical = new Float32Array(values);
    this.#feedback = new Float32Array(values);
    const { maxGradientNorm } = campaign;
    this.#trainer = new Trainer(graphs, { weights: flatStore(this.#local, graphs.parameters), maxGradientNorm });
  }

  /** The engine is closed with it. Throws ENGINE_FAILED. */
  static async create(engine: TensorEngine, campaign: Campaign): Promise<CampaignWorker> {
    const { batch, sequence, weightDecay } = campaign;
    const config = modelOf(campaign);
    const optimiser = adamW({ ...ADAMW, weightDecay });
    const graphs = await loadStepGraphs(engine, { config, shape: { batch, sequence }, optimiser });
    return new CampaignWorker(campaign, spaceOf(parametersOf(config)), graphs, engine);
  }

  get weightsBytes(): number {
    return this.#canonical.byteLength;
  }

  async adopt(weights: Chunks<Uint8Array>, hash: string): Promise<void> {
    const bytes = new Uint8Array(this.weightsBytes);
    let at = 0;
    for await (const chunk of weights) {
      if (at + chunk.length <= bytes.length) bytes.set(chunk, at);
      at += chunk.length;
    }
    if (at !== bytes.length) throw invalid('the weights have another size');
    const values = new Float32Array(bytes.buffer);
    if (hashOfValues(values) !== hash) throw invalid('the weights are not those of their hash');
    this.#canonical = values;
    this.weightsHash = hash;
  }

  async advance(delta: Uint8Array, hash: string): Promise<void> {
    const next = this.#canonical.slice();
    await applyUpdate([delta], this.#space, formatsOf(this.campaign).downlink, memoryStore(next));
    if (hashOfValues(next) !== hash) throw invalid('it does not lead to the weights that were announced');
    this.#canonical = next;
    this.weightsHash = hash;
  }

  async work(
    { unit, round, seed }: WorkUnit,
    shard: Int32Array,
    { onStep, signal }: WorkOptions = {},
  ): Promise<Uint8Array> {
    const { campaign } = this;
    this.#local.set(this.#canonical);
    let step = 0;
    for (const batch of unitBatches(campaign, shard, seed)) {
      throwIfCancelled(signal);
      const rate = learningRateAt(round * campaign.localSteps + step, campaign.schedule);
      const { loss } = await this.#trainer.step(batch, rate);
      step++;
      onStep?.({ step, loss });
    }
    const delta = this.#canonical.map((value, i) => value - this.#local[i]!);
    this.#before = this.#feedback.slice();
    const { data } = campaign;
    if (data.mode === 'public') return this.#encode(delta, { unit, round });
    const places = placesOf(campaign.seed, round, campaign.uplinkKeep);
    const options = { space: this.#space, places, data, random: this.#random };
    return new Uint8Array(contributionOf(delta, this.#feedback, options).buffer as ArrayBuffer);
  }

  async #encode(delta: Float32Array, { unit, round }: Pick<WorkUnit, 'unit' | 'round'>): Promise<Uint8Array> {
    const { campaign } = this;
    const start = hexToBytes(this.weightsHash!);
    const header = { campaign: campaign.id, round, unit: hexToBytes(unit), start };
    const feedback = memoryStore(this.#feedback);
    const chunks: Uint8Array[] = [];
    for await (const chunk of encodeUpdate(header, this.#space, formatsOf(campaign).uplink, [delta], feedback)) {
      chunks.push(chunk);
    }
    return concatBytes(...chunks);
  }

  async settle(counts: boolean): Promise<void> {
    if (!counts && this.#before) this.#feedback = this.#before;
    this.#before = undefined;
  }

  async release(): Promise<void> {
    await this.#graphs.release();
    await this.#engine.close();
  }
}

export function invalid(reason: string): AiloError {
  return AiloError.of('UPDATE_INVALID', { reason });
}
