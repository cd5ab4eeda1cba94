import type { TensorEngine } from '../../../shared/runtime/tensor-engine.ts';
import { applyUpdate } from '../../../shared/train/aggregate/apply.ts';
import { type Campaign, modelOf, uplinkOf } from '../../../shared/train/campaign/campaign.ts';
import { memoryStore } from '../../../shared/train/codec/store.ts';
import { Evaluator } from '../../../shared/train/evaluator.ts';
import { flatStore, spaceOf } from '../../../shared/train/flat.ts';
import { parametersOf } from '../../../shared/train/model/model.ts';
import type { CampaignFolder } from '../folder.ts';
import { SCORE_STEP } from '../limits.ts';
import { type Cohort, heldOutBatches } from '../measure.ts';
import type { Measured } from '../verdicts.ts';

/**
 * Measures the sums of groups: only by what they gain on held-out text. What was learned from, nobody here knows, so the
 * gain on it is taken to be the same; and sums of honest groups may be alike. Throws as `CohortMeter.measure`.
 */
export async function measureGroups(
  engine: TensorEngine,
  folder: CampaignFolder,
  campaign: Campaign,
  { round, attempt, units }: Cohort,
): Promise<Measured[]> {
  const config = modelOf(campaign);
  const parameters = parametersOf(config);
  const evaluator = await Evaluator.create(engine, config, campaign);
  try {
    const start = new Float32Array((await folder.tokens(folder.weights(round))).buffer);
    const heldOut = heldOutBatches(campaign, await folder.tokens(folder.validation), attempt);
    const loss = async (values: Float32Array) =>
      (await evaluator.evaluate(flatStore(values, parameters), heldOut)).loss;
    const lossBefore = await loss(start);
    const measured: Measured[] = [];
    for (const { id: unit, wallet, update } of units) {
      const moved = start.slice();
      const space = spaceOf(parameters);
      await applyUpdate(folder.openUpdate(unit), space, uplinkOf(campaign, round), memoryStore(moved), SCORE_STEP);
      const lossAfter = await loss(moved);
      const gain = lossBefore - lossAfter;
      measured.push({
        ...{ unit, wallet, norm: update!.norm, lossBefore, lossAfter },
        ...{ assignedGain: gain, elsewhereGain: gain, copied: -1, published: -1 },
      });
    }
    return measured;
  } finally {
    await evaluator.release();
  }
}
