import { createReadStream } from 'node:fs';
import { copyFile, open, rename } from 'node:fs/promises';
import { hexToBytes } from '@noble/hashes/utils.js';
import { UNIT_BYTES } from '../../shared/ledger/training-receipt.ts';
import { aggregate } from '../../shared/train/aggregate/aggregate.ts';
import { applyUpdate } from '../../shared/train/aggregate/apply.ts';
import { type Campaign, formatsOf, modelOf, RULES, uplinkOf } from '../../shared/train/campaign/campaign.ts';
import { encodeUpdate } from '../../shared/train/codec/encode.ts';
import { spaceOf } from '../../shared/train/flat.ts';
import { parametersOf } from '../../shared/train/model/model.ts';
import { hashFile, openFileStore } from './file-store.ts';
import type { CampaignFolder } from './folder.ts';
import type { CampaignEffect, Unit } from './state.ts';

type Joined = (CampaignEffect & { kind: 'aggregate' })['units'];

/**
 * Joins the accepted updates of a round: writes the delta that goes back to all and the weights it leads to, slab by
 * slab, never a whole model in memory. The same units give the same bytes, so that a round which was interrupted here is
 * simply joined again. Returns the hashes (hex) of the new weights and of the delta.
 */
export async function joinRound(
  folder: CampaignFolder,
  campaign: Campaign,
  { round, start }: { round: number; start: string },
  units: Joined,
): Promise<{ weights: string; delta: string }> {
  const space = spaceOf(parametersOf(modelOf(campaign)));
  const { downlink } = formatsOf(campaign);
  const uplink = uplinkOf(campaign, round);
  const next = { weights: folder.weights(round + 1), feedback: folder.feedback(round + 1), delta: folder.delta(round) };
  const unfinished = (path: string) => `${path}.unfinished`;
  await copyFile(folder.weights(round), unfinished(next.weights));
  await copyFile(folder.feedback(round), unfinished(next.feedback));
  const feedback = await openFileStore(unfinished(next.feedback));
  const out = await open(unfinished(next.delta), 'w');
  try {
    const cohort = units.map(({ unit, staleness }) => contributionOf(folder, campaign, unit, staleness));
    const joint = aggregate(cohort, space, uplink, RULES[campaign.aggregator], campaign.outerLearningRate);
    const header = { campaign: campaign.id, round, unit: new Uint8Array(UNIT_BYTES), start: hexToBytes(start) };
    for await (const chunk of encodeUpdate(header, space, downlink, joint, feedback)) await out.writeFile(chunk);
    await out.sync();
    await feedback.sync();
  } finally {
    await out.close();
    await feedback.close();
  }
  const weights = await openFileStore(unfinished(next.weights));
  try {
    await applyUpdate(createReadStream(unfinished(next.delta)), space, downlink, weights);
    await weights.sync();
  } finally {
    await weights.close();
  }
  for (const path of Object.values(next)) await rename(unfinished(path), path);
  return { weights: await hashFile(next.weights), delta: await hashFile(next.delta) };
}

function contributionOf(folder: CampaignFolder, { batch }: Campaign, { id, update, members }: Unit, staleness: number) {
  return {
    unit: hexToBytes(id),
    open: () => folder.openUpdate(id),
    norm: update!.norm,
    sequences: batch * (members?.length ?? 1),
    staleness,
  };
}
