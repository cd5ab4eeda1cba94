/** What is measured of a cohort before it is judged: losses with and without each update, and what of it was there before. */
import type { TensorEngine } from '../../shared/runtime/tensor-engine.ts';
import { seededRandom } from '../../shared/sampler/random.ts';
import { applyUpdate } from '../../shared/train/aggregate/apply.ts';
import { type Campaign, formatsOf, modelOf } from '../../shared/train/campaign/campaign.ts';
import { memoryStore } from '../../shared/train/codec/store.ts';
import { type Batch, randomBatch } from '../../shared/train/data.ts';
import { Evaluator } from '../../shared/train/evaluator.ts';
import { flatStore, spaceOf } from '../../shared/train/flat.ts';
import type { Parameter } from '../../shared/train/model/family.ts';
import { parametersOf } from '../../shared/train/model/model.ts';
import type { CampaignFolder } from './folder.ts';
import { type Likeness, likenessesOf } from './likeness.ts';
import { HELD_OUT_BATCHES, SCORE_STEP } from './limits.ts';
import { lotOf, samplesOf } from './samples.ts';
import type { Unit } from './state.ts';
import type { Measured } from './verdicts.ts';

export interface Cohort {
  round: number;
  /** Of the campaign, over all rounds. Each is measured on other text: what chance refused once, it may not the next time. */
  attempt: number;
  units: Unit[];
  /** Accepted units of earlier rounds whose updates are kept: who sends one of them again copies, too. */
  earlier: Unit[];
}

/** Measures the cohorts of one campaign: its graph and its texts stay from round to round. */
export class CohortMeter {
  readonly #folder: CampaignFolder;
  readonly #campaign: Campaign;
  readonly #parameters: Parameter[];
  readonly #evaluator: Evaluator;
  readonly #training: Int32Array;
  readonly #validation: Int32Array;

  private constructor(
    folder: CampaignFolder,
    campaign: Campaign,
    evaluator: Evaluator,
    texts: { training: Int32Array; validation: Int32Array },
  ) {
    this.#folder = folder;
    this.#campaign = campaign;
    this.#parameters = parametersOf(modelOf(campaign));
    this.#evaluator = evaluator;
    this.#training = texts.training;
    this.#validation = texts.validation;
  }

  /** Throws ENGINE_FAILED, and what reading the files throws. */
  static async open(engine: TensorEngine, folder: CampaignFolder, campaign: Campaign): Promise<CohortMeter> {
    const texts = {
      training: await folder.tokens(folder.training),
      validation: await folder.tokens(folder.validation),
    };
    const evaluator = await Evaluator.create(engine, modelOf(campaign), campaign);
    return new CohortMeter(folder, campaign, evaluator, texts);
  }

  /** Throws UPDATE_INVALID, ENGINE_FAILED, and what reading the files throws. */
  async measure(cohort: Cohort): Promise<Measured[]> {
    const start = new Float32Array((await this.#folder.tokens(this.#folder.weights(cohort.round))).buffer);
    const likenesses = await likenessesOf(this.#folder, this.#campaign, cohort);
    const heldOut = heldOutBatches(this.#campaign, this.#validation, cohort.attempt);
    const lossBefore = await this.#loss(start, heldOut);
    const lot = lotOf(cohort.units);
    const measured: Measured[] = [];
    for (const unit of cohort.units) {
      const found = await this.#measureUnit(unit, { start, heldOut, lot });
      measured.push({ ...found, lossBefore, ...(likenesses.get(unit.id) as Likeness) });
    }
    return measured;
  }

  release(): Promise<void> {
    return this.#evaluator.release();
  }

  async #measureUnit(unit: Unit, { start, heldOut, lot }: { start: Float32Array; heldOut: Batch[]; lot: number }) {
    const { assigned, elsewhere } = samplesOf(this.#campaign, this.#training, unit, lot);
    const [assignedBefore, elsewhereBefore] = [await this.#loss(start, assigned), await this.#loss(start, elsewhere)];
    const moved = start.slice();
    const space = spaceOf(this.#parameters);
    const { uplink } = formatsOf(this.#campaign);
    await applyUpdate(this.#folder.openUpdate(unit.id), space, uplink, memoryStore(moved), SCORE_STEP);
    return {
      ...{ unit: unit.id, wallet: unit.wallet, norm: unit.update!.norm, lossAfter: await this.#loss(moved, heldOut) },
      assignedGain: assignedBefore - (await this.#loss(moved, assigned)),
      elsewhereGain: elsewhereBefore - (await this.#loss(moved, elsewhere)),
    };
  }

  async #loss(values: Float32Array, batches: Batch[]): Promise<number> {
    return (await this.#evaluator.evaluate(flatStore(values, this.#parameters), batches)).loss;
  }
}

export function heldOutBatches(campaign: Campaign, validation: Int32Array, attempt: number): Batch[] {
  const random = seededRandom((campaign.seed + 0x9e3779b9 * attempt) >>> 0);
  return Array.from({ length: HELD_OUT_BATCHES }, () => randomBatch(validation, campaign, random));
}
