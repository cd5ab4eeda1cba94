import { afterAll, describe, expect, test } from 'vitest';
import { createNodeEngine } from '../../../server/runtime/node-engine.ts';
import { seededRandom } from '../../sampler/random.ts';
import { randomBatch } from '../data.ts';
import { initialiser } from '../initialise.ts';
import { parametersOf } from '../model/model.ts';
import { ADAMW, adamW } from '../optimiser/adamw.ts';
import { PRESETS } from '../presets.ts';
import { loadStepGraphs } from '../step-graphs.ts';
import { memoryStore } from '../store.ts';
import { Trainer } from '../trainer.ts';
import { layoutOf } from './layout.ts';
import { TrainingState } from './state.ts';
import { Crash, MemoryDisk } from './testing.ts';
import { VirtualTrainer } from './trainer.ts';

const engine = createNodeEngine({ threads: 1 });
afterAll(() => engine.close());

const small = { layers: 2, hiddenSize: 16, heads: 2, kvHeads: 2, headDim: 8, intermediateSize: 64 };
const gpt2 = { ...PRESETS['nano-char'], ...small };
const llama = { ...PRESETS['ailo-guide'], ...small, vocabSize: 65, tiedHead: false };
const shape = { batch: 2, sequence: 8 };
const optimiser = adamW(ADAMW);
const STEPS = 3;

function batches() {
  const random = seededRandom(4);
  const text = Int32Array.from({ length: 500 }, () => random() % 65);
  return Array.from({ length: STEPS }, () => randomBatch(text, shape, random));
}

const rateAt = (step: number) => 0.01 / (1 + step);

function tensorsOf(config: typeof gpt2): Float32Array[] {
  return parametersOf(config).map(initialiser(1));
}

/** Takes up what is on the disk and goes on to the last step. */
async function train(disk: MemoryDisk, config: typeof gpt2, stopAfter?: number) {
  const layout = layoutOf(parametersOf(config));
  const options = { files: disk.start(stopAfter), layout, slots: optimiser.slots, segmentValues: 500 };
  const state = await TrainingState.open(options);
  if (state.start === undefined) await state.begin('seed 1', tensorsOf(config));
  const trainer = await VirtualTrainer.open({ engine, config, shape, optimiser, maxGradientNorm: 0.5, state });
  try {
    const losses: number[] = [];
    for (const [step, batch] of batches().entries()) {
      if (step >= state.localSteps) losses.push((await trainer.step(batch, rateAt(step))).loss);
    }
    const weights = new Float32Array(layout.values);
    await state.weights.read(0, weights);
    return { weights, losses };
  } finally {
    await trainer.release();
  }
}

describe.each([
  ['gpt2, tied', gpt2],
  ['llama, with a head of its own', llama],
])('training over files: %s', (_, config) => {
  test('makes the weights of a trainer in memory, to the bit', async () => {
    const weights = memoryStore(parametersOf(config), initialiser(1));
    const graphs = await loadStepGraphs(engine, { config, shape, optimiser, form: 'blocks' });
    const trainer = new Trainer(graphs, { weights, maxGradientNorm: 0.5 });
    const losses: number[] = [];
    for (const [step, batch] of batches().entries()) losses.push((await trainer.step(batch, rateAt(step))).loss);
    await graphs.release();
    const virtual = await train(new MemoryDisk(), config);
    expect(virtual.losses).toEqual(losses);
    for (const { name, start, length } of layoutOf(parametersOf(config)).tensors) {
      expect(virtual.weights.slice(start, start + length), name).toEqual(await weights.read(name));
    }
  });
});

test('a computer that stops at any write goes on to the same weights', async () => {
  const undisturbed = new MemoryDisk();
  const expected = await train(undisturbed, gpt2);
  const random = seededRandom(7);
  for (let stop = 0; stop < undisturbed.operations; stop += 1 + (random() % 60)) {
    const disk = new MemoryDisk(random);
    for (const left of [stop, random() % 40]) {
      await train(disk, gpt2, left).catch((error) => expect(error).toBeInstanceOf(Crash));
    }
    const { weights } = await train(disk, gpt2);
    expect(weights, `stopped after ${stop} writes`).toEqual(expected.weights);
  }
});
