import { MessageChannel } from 'node:worker_threads';
import { afterEach, expect, test } from 'vitest';
import { campaignOf, textOf } from '../../server/campaigns/testing.ts';
import { createNodeEngine } from '../../server/runtime/node-engine.ts';
import { modelOf } from '../../shared/train/campaign/campaign.ts';
import { CampaignWorker } from '../../shared/train/campaign/worker.ts';
import { hashOfValues } from '../../shared/train/flat.ts';
import { initialiser } from '../../shared/train/initialise.ts';
import { parametersOf } from '../../shared/train/model/model.ts';
import { MemoryDisk } from '../../shared/train/virtual/testing.ts';
import { learnerOverPort } from './learner-client.ts';
import { serveLearner } from './learner-serve.ts';
import type { Port } from './rpc.ts';

const campaign = campaignOf({ localSteps: 3 });
const config = modelOf(campaign);
const values = Float32Array.from(parametersOf(config).flatMap((parameter) => [...initialiser(1)(parameter)]));
const [bytes, hash] = [new Uint8Array(values.buffer), hashOfValues(values)];
const shard = textOf(200, config.vocabSize);
const unit = { unit: '01'.repeat(16), round: 0, seed: 5 };

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

function overPort(place: 'memory' | 'disk' = 'memory', disk = new MemoryDisk()) {
  const { port1, port2 } = new MessageChannel();
  for (const port of [port1, port2]) port.start();
  serveLearner(port2 as unknown as Port, {
    createEngine: async () => createNodeEngine({ threads: 1 }),
    createFiles: async () => disk.start(),
  });
  closing.push(() => port1.close());
  return learnerOverPort(port1 as unknown as Port, { engine: 'wasm', campaign, place }, () => port1.close()).learner;
}

test('a learner in a worker makes the same update as one here, and tells its steps', async () => {
  const there = await overPort();
  const here = await CampaignWorker.create(createNodeEngine({ threads: 1 }), campaign);
  expect(there.weightsBytes).toBe(here.weightsBytes);
  for (const learner of [there, here]) await learner.adopt([bytes], hash);
  expect(there.weightsHash).toBe(hash);
  const steps: number[] = [];
  const update = await there.work(unit, shard, { onStep: ({ step }) => steps.push(step) });
  expect(update).toEqual(await here.work(unit, shard));
  expect(steps).toEqual([1, 2, 3]);
  await here.release();
});

test('weights that are not those of their hash are refused, also there', async () => {
  const learner = await overPort();
  await expect(learner.adopt([bytes], '00'.repeat(32))).rejects.toMatchObject({ code: 'UPDATE_INVALID' });
  expect(learner.weightsHash).toBeUndefined();
});

test('what is cancelled ends at once', async () => {
  const learner = await overPort();
  await learner.adopt([bytes], hash);
  const cancel = new AbortController();
  const working = learner.work(unit, shard, { signal: cancel.signal });
  cancel.abort();
  await expect(working).rejects.toMatchObject({ code: 'CANCELLED' });
});

test('a learner whose weights lie on a disk has them when it is opened again', async () => {
  const disk = new MemoryDisk();
  const first = await overPort('disk', disk);
  expect(first.weightsHash).toBeUndefined();
  await first.adopt([bytes.subarray(0, 1000), bytes.subarray(1000)], hash);
  const update = await first.work(unit, shard);
  const again = await overPort('disk', disk);
  expect(again.weightsHash).toBe(hash);
  expect(await again.work(unit, shard)).toEqual(update);
});
