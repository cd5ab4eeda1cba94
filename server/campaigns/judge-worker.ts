/** The thread that measures cohorts: onnxruntime-node blocks whoever runs it, and the coordinator must not be blocked. */
import { parentPort } from 'node:worker_threads';
import { toAiloError } from '../../shared/errors/index.ts';
import type { Campaign } from '../../shared/train/campaign/campaign.ts';
import { createNodeEngine } from '../runtime/node-engine.ts';
import { CampaignFolder } from './folder.ts';
import { measureGroups } from './groups/measure.ts';
import type { JudgeRequest, JudgeResponse } from './judge.ts';
import { MAX_METERS } from './limits.ts';
import { CohortMeter } from './measure.ts';

const port = parentPort!;
const engine = createNodeEngine({ threads: 1 });
/** By folder, those used last at the end. */
const meters = new Map<string, CohortMeter>();
/** Requests, one after the other. */
let work: Promise<void> = Promise.resolve();

port.on('message', (request: JudgeRequest) => {
  work = work.then(() => answer(request));
});

async function answer({ id, folder, campaign, cohort }: JudgeRequest): Promise<void> {
  let response: JudgeResponse;
  try {
    const measured =
      campaign.data.mode === 'local'
        ? await measureGroups(engine, new CampaignFolder(folder), campaign, cohort)
        : await (await meterOf(folder, campaign)).measure(cohort);
    response = { id, measured };
  } catch (error) {
    response = { id, error: toAiloError(error).toWire(), cause: String(error) };
  }
  port.postMessage(response);
}

async function meterOf(folder: string, campaign: Campaign): Promise<CohortMeter> {
  const meter = meters.get(folder) ?? (await CohortMeter.open(engine, new CampaignFolder(folder), campaign));
  meters.delete(folder);
  meters.set(folder, meter);
  for (const [oldest, unused] of meters) {
    if (meters.size <= MAX_METERS) break;
    meters.delete(oldest);
    await unused.release();
  }
  return meter;
}
