/** What is measured of a cohort before it is judged: losses with and without each update, and how alike updates are. */
import { hexToBytes } from '@noble/hashes/utils.js';
import type { TensorEngine } from '../../shared/runtime/tensor-engine.ts';
import { seededRandom } from '../../shared/sampler/random.ts';
import { applyUpdate } from '../../shared/train/aggregate/apply.ts';
import { similarities } from '../../shared/train/aggregate/similarity.ts';
import { type Campaign, formatsOf, modelOf, publicDataOf } from '../../shared/train/campaign/campaign.ts';
import { unitBatches } from '../../shared/train/campaign/unit.ts';
import { MAX_CONTRIBUTIONS } from '../../shared/train/codec/limits.ts';
import { memoryStore } from '../../shared/train/codec/store.ts';
import { type Batch, randomBatch } from '../../shared/train/data.ts';
import { Evaluator } from '../../shared/train/evaluator.ts';
import { flatStore, spaceOf } from '../../shared/train/flat.ts';
import { parametersOf } from '../../shared/train/model/model.ts';
import type { CampaignFolder } from './folder.ts';
import { ASSIGNED_BATCHES, HELD_OUT_BATCHES, SCORE_STEP } from './limits.ts';
import type { Unit } from './state.ts';
import type { Measured } from './verdicts.ts';

export interface Cohort {
  round: number;
  units: Unit[];
  /** Units of earlier rounds whose updates are kept: who sends one of them again copies, too. */
  earlier: Unit[];
}

/** Throws UPDATE_INVALID, ENGINE_FAILED, and what reading the files throws. */
export async function measureCohort(
  engine: TensorEngine,
  folder: CampaignFolder,
  campaign: Campaign,
  cohort: Cohort,
): Promise<Measured[]> {
  const config = modelOf(campaign);
  const parameters = parametersOf(config);
  const evaluator = await Evaluator.create(engine, config, campaign);
  try {
    const start = new Float32Array((await folder.tokens(folder.weights(cohort.round))).buffer);
    const values = start.slice();
    const weights = flatStore(values, parameters);
    const training = await folder.tokens(folder.training);
    const heldOut = heldOutBatches(campaign, await folder.tokens(folder.validation), cohort.round);
    const loss = async (batches: Batch[]) => (await evaluator.evaluate(weights, batches)).loss;
    const lossBefore = await loss(heldOut);
    const alike = await likenesses(folder, campaign, cohort);
    const measured: Measured[] = [];
    for (const unit of cohort.units) {
      const assigned = assignedBatches(campaign, shardOf(campaign, training, unit.shard), unit.seed);
      values.set(start);
      const before = await loss(assigned);
      const { uplink } = formatsOf(campaign);
      await applyUpdate(folder.openUpdate(unit.id), spaceOf(parameters), uplink, memoryStore(values), SCORE_STEP);
      measured.push({
        ...{ unit: unit.id, arrivedMs: unit.update!.arrivedMs, norm: unit.update!.norm },
        ...{ lossBefore, lossAfter: await loss(heldOut), assignedGain: before - (await loss(assigned)) },
        similarity: alike.get(unit.id)!,
      });
    }
    return measured;
  } finally {
    await evaluator.release();
  }
}

/** The tokens of a shard of the training text. */
export function shardOf(campaign: Campaign, training: Int32Array, shard: number): Int32Array {
  const { shardTokens } = publicDataOf(campaign);
  return training.subarray(shard * shardTokens, (shard + 1) * shardTokens);
}

export function heldOutBatches(campaign: Campaign, validation: Int32Array, round: number): Batch[] {
  const random = seededRandom((campaign.seed + 0x9e3779b9 * (round + 1)) >>> 0);
  return Array.from({ length: HELD_OUT_BATCHES }, () => randomBatch(validation, campaign, random));
}

/** The first that the unit had to learn from. */
function assignedBatches(campaign: Campaign, shard: Int32Array, seed: number): Batch[] {
  return [...unitBatches({ ...campaign, localSteps: Math.min(campaign.localSteps, ASSIGNED_BATCHES) }, shard, seed)];
}

/** For each unit of the cohort, the largest cosine with any that came before it. */
async function likenesses(folder: CampaignFolder, campaign: Campaign, { units, earlier }: Cohort) {
  const all = [...units, ...earlier.slice(units.length - MAX_CONTRIBUTIONS)].toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const contributions = all.map(({ id, update }) => ({
    ...{ unit: hexToBytes(id), open: () => folder.openUpdate(id), norm: update!.norm },
    ...{ sequences: campaign.batch, staleness: 0 },
  }));
  const space = spaceOf(parametersOf(modelOf(campaign)));
  const cosines = await similarities(contributions, space, formatsOf(campaign).uplink);
  return new Map(
    units.map((unit) => {
      const row = all.indexOf(unit) * all.length;
      const before = all.map((other, k) => (cameBefore(other, unit) ? cosines[row + k]! : -1));
      return [unit.id, Math.max(-1, ...before)];
    }),
  );
}

function cameBefore(other: Unit, unit: Unit): boolean {
  const earlier = other.update!.arrivedMs - unit.update!.arrivedMs;
  return other.id !== unit.id && (earlier < 0 || (earlier === 0 && other.id < unit.id));
}
