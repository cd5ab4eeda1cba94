/** The thread that measures cohorts: onnxruntime-node blocks whoever runs it, and the coordinator must not be blocked. */
import { parentPort } from 'node:worker_threads';
import { toAiloError } from '../../shared/errors/index.ts';
import type { Campaign } from '../../shared/train/campaign/campaign.ts';
import { createNodeEngine } from '../runtime/node-engine.ts';
import { CampaignFolder } from './folder.ts';
import { measureGroups } from './groups/measure.ts';
import type { JudgeRequest, JudgeResponse } from './judge.ts';
import { measureCohort } from './measure.ts';

const port = parentPort!;
const engine = createNodeEngine({ threads: 1 });

port.on('message', async ({ id, folder, campaign, cohort }: JudgeRequest & { campaign: Campaign }) => {
  let response: JudgeResponse;
  try {
    const measure = campaign.data.mode === 'local' ? measureGroups : measureCohort;
    response = { id, measured: await measure(engine, new CampaignFolder(folder), campaign, cohort) };
  } catch (error) {
    response = { id, error: toAiloError(error).toWire(), cause: String(error) };
  }
  port.postMessage(response);
});
