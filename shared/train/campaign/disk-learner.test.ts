import { concatBytes, hexToBytes } from '@noble/hashes/utils.js';
import { afterAll, expect, test } from 'vitest';
import { campaignOf, textOf } from '../../../server/campaigns/testing.ts';
import { createNodeEngine } from '../../../server/runtime/node-engine.ts';
import { seededRandom } from '../../sampler/random.ts';
import { applyUpdate } from '../aggregate/apply.ts';
import { encodeUpdate } from '../codec/encode.ts';
import { spaceValues } from '../codec/space.ts';
import { memoryStore } from '../codec/store.ts';
import { flatStore, hashOfValues, spaceOf } from '../flat.ts';
import { initialiser } from '../initialise.ts';
import { parametersOf } from '../model/model.ts';
import { ADAMW, adamW } from '../optimiser/adamw.ts';
import { learningRateAt } from '../optimiser/schedule.ts';
import { loadStepGraphs } from '../step-graphs.ts';
import { Trainer } from '../trainer.ts';
import { bytesOf } from '../virtual/files.ts';
import { Crash, MemoryDisk } from '../virtual/testing.ts';
import { formatsOf, modelOf } from './campaign.ts';
import { DiskLearner } from './disk-learner.ts';
import { unitBatches } from './unit.ts';

/** So that the model is several of them. */
const SEGMENT_VALUES = 1000;

const engine = () => createNodeEngine({ threads: 1 });
const inMemory = engine();
afterAll(() => inMemory.close());

const campaign = campaignOf({ localSteps: 2 });
const config = modelOf(campaign);
const parameters = parametersOf(config);
const space = spaceOf(parameters);
const first = Float32Array.from(parameters.flatMap((parameter) => [...initialiser(1)(parameter)]));
const shard = textOf(200, config.vocabSize);
const { uplink, downlink } = formatsOf(campaign);
const unitOf = (round: number) => ({ unit: `0${round + 1}`.repeat(16), round, seed: 5 + round });

interface Round {
  update: Uint8Array;
  delta: Uint8Array;
  /** Of the weights that the delta leads to. */
  hash: string;
}

/** What a worker sends in each round and what comes back, made in memory; the first update counts, the second does not. */
async function expectedRounds(count: number): Promise<Round[]> {
  const { batch, sequence, weightDecay, maxGradientNorm, localSteps } = campaign;
  const optimiser = adamW({ ...ADAMW, weightDecay });
  const graphs = await loadStepGraphs(inMemory, { config, shape: { batch, sequence }, optimiser, form: 'blocks' });
  const [canonical, local] = [first.slice(), new Float32Array(first.length)];
  let feedback = new Float32Array(first.length);
  const trainer = new Trainer(graphs, { weights: flatStore(local, parameters), maxGradientNorm });
  const rounds: Round[] = [];
  for (let round = 0; round < count; round++) {
    local.set(canonical);
    for (const [step, batch] of [...unitBatches(campaign, shard, unitOf(round).seed)].entries()) {
      await trainer.step(batch, learningRateAt(round * localSteps + step, campaign.schedule));
    }
    const header = { campaign: campaign.id, round, start: hexToBytes(hashOfValues(canonical)) };
    const unit = hexToBytes(unitOf(round).unit);
    const change = canonical.map((value, i) => value - local[i]!);
    const before = feedback.slice();
    const update = await joined(encodeUpdate({ ...header, unit }, space, uplink, [change], memoryStore(feedback)));
    if (round === 1) feedback = before;
    const delta = await joined(encodeUpdate({ ...header, unit: new Uint8Array(16) }, space, downlink, [change]));
    await applyUpdate([delta], space, downlink, memoryStore(canonical));
    rounds.push({ update, delta, hash: hashOfValues(canonical) });
  }
  await graphs.release();
  return rounds;
}

async function joined(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return concatBytes(...all);
}

/** What the coordinator knows of the worker. */
interface Course {
  round: number;
  /** The update of this round is there. */
  handedIn: boolean;
}

/** Goes on as a node does, with what the disk holds. */
async function goOn(disk: MemoryDisk, expected: readonly Round[], course: Course, stopAfter?: number): Promise<void> {
  const learner = await DiskLearner.create(engine(), disk.start(stopAfter), campaign, SEGMENT_VALUES);
  const hashBefore = (round: number) => (round === 0 ? hashOfValues(first) : expected[round - 1]!.hash);
  try {
    if (learner.weightsHash === undefined) await learner.adopt([bytesOf(first)], hashBefore(0));
    for (; course.round < expected.length; course.round++, course.handedIn = false) {
      const { round } = course;
      if (learner.weightsHash === hashBefore(round + 1)) continue;
      expect(learner.weightsHash).toBe(hashBefore(round));
      if (!course.handedIn) expect(await learner.work(unitOf(round), shard)).toEqual(expected[round]!.update);
      course.handedIn = true;
      await learner.settle(round !== 1);
      await learner.advance(expected[round]!.delta, expected[round]!.hash);
    }
  } finally {
    await learner.release();
  }
}

const begun = (): Course => ({ round: 0, handedIn: false });

test('a learner on a disk sends, to the byte, what one in memory sends, and follows the weights', async () => {
  const expected = await expectedRounds(3);
  const course = begun();
  await goOn(new MemoryDisk(), expected, course);
  expect(course.round).toBe(3);
});

test('a computer that stops at any write goes on to the same updates', async () => {
  const expected = await expectedRounds(3);
  const undisturbed = new MemoryDisk();
  await goOn(undisturbed, expected, begun());
  const random = seededRandom(3);
  for (let stop = 1; stop < undisturbed.operations; stop += 1 + (random() % 30)) {
    const [disk, course] = [new MemoryDisk(random), begun()];
    await expect(goOn(disk, expected, course, stop)).rejects.toThrow(Crash);
    await goOn(disk, expected, course);
    expect(course.round, `stopped after ${stop} writes`).toBe(3);
  }
});

test('weights that are not those of their hash are refused, and the others kept', async () => {
  const [{ delta }] = (await expectedRounds(1)) as [Round];
  const learner = await DiskLearner.create(engine(), new MemoryDisk().start(), campaign, SEGMENT_VALUES);
  const refused = { code: 'UPDATE_INVALID' };
  await expect(learner.adopt([bytesOf(first)], '00'.repeat(32))).rejects.toMatchObject(refused);
  await expect(learner.adopt([bytesOf(first).subarray(4)], hashOfValues(first))).rejects.toMatchObject(refused);
  await expect(learner.work(unitOf(0), shard)).rejects.toMatchObject(refused);
  await learner.adopt([bytesOf(first)], hashOfValues(first));
  await expect(learner.advance(delta, '00'.repeat(32))).rejects.toMatchObject(refused);
  expect(learner.weightsHash).toBe(hashOfValues(first));
  expect(4 * spaceValues(space)).toBe(learner.weightsBytes);
  await learner.release();
});
