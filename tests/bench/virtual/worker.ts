/** Runs in a worker of Chromium's page: one training whose weights lie in chunks in IndexedDB and in files of OPFS. */
import * as v from 'valibot';
import { createWorkerFiles } from '../../../extension/compute/file-client.ts';
import { connect, type Port } from '../../../extension/compute/rpc.ts';
import { createWebEngine } from '../../../extension/compute/web-runtime.ts';
import { indexedDbChunks } from '../../../extension/offscreen/chunk-store.ts';
import { openDatabase } from '../../../extension/offscreen/database.ts';
import { seededRandom } from '../../../shared/sampler/random.ts';
import type { Batch } from '../../../shared/train/data.ts';
import { type BatchShape, parametersOf } from '../../../shared/train/model/model.ts';
import { ADAMW, adamW } from '../../../shared/train/optimiser/adamw.ts';
import { PRESETS } from '../../../shared/train/presets.ts';
import { type ChunkSource, nameOfWeights, readChunks, WeightChunks } from '../../../shared/train/virtual/chunks.ts';
import { layoutOf } from '../../../shared/train/virtual/layout.ts';
import { TrainingState } from '../../../shared/train/virtual/state.ts';
import { VirtualTrainer } from '../../../shared/train/virtual/trainer.ts';
import { type Counts, countingFiles, measuringEngine, plainProduct } from './measuring.ts';
import type { VirtualCalls, VirtualOptions } from './types.ts';

const LEARNING_RATE = 1e-4;
const MEASURE_EVERY_MS = 10_000;
const MEASURE_RUNS = 3;

interface Training {
  options: VirtualOptions;
  state: TrainingState;
  trainer: VirtualTrainer;
  counts: Counts;
  measure(): Promise<number>;
}

let training: Training | undefined;
const source: ChunkSource = {
  model: 'virtual benchmark',
  store: indexedDbChunks(openDatabase(), { budgetBytes: async () => 2 ** 40, now: () => Date.now() }),
  fetch: async (hash) => new Uint8Array(await (await fetch(`chunks/${hash}`)).arrayBuffer()),
};

connect(self as unknown as Port, {
  async open(options) {
    const config = { ...PRESETS['ailo-840m'], layers: options.layers };
    const { shape, threads } = options;
    const counts = newCounts();
    const files = countingFiles(await createWorkerFiles('training'), counts);
    const optimiser = adamW(ADAMW);
    const state = await TrainingState.open({ files, layout: layoutOf(parametersOf(config)), slots: optimiser.slots });
    const web = await createWebEngine('wasm', threads);
    const rows = shape.batch * shape.sequence;
    const measure = await plainProduct(web, [rows, config.hiddenSize, config.intermediateSize], MEASURE_RUNS);
    const engine = measuringEngine(web, counts, measure, MEASURE_EVERY_MS);
    const trainer = await VirtualTrainer.open({ engine, config, shape, optimiser, maxGradientNorm: 1, state });
    training = { options, state, trainer, counts, measure };
    return { value: { finishedSteps: state.localSteps } };
  },

  async begin() {
    const beganMs = performance.now();
    const { state } = training!;
    const chunks = v.parse(WeightChunks, await (await fetch('chunks.json')).json());
    await state.begin(await nameOfWeights(chunks), readChunks(chunks, source));
    return { value: { seconds: (performance.now() - beganMs) / 1000, chunks: chunks.hashes.length } };
  },

  async step() {
    const { options, state, trainer, counts, measure } = training!;
    Object.assign(counts, { ...newCounts(), matmulGflops: [await measure()], beganMs: performance.now() });
    const report = await trainer.step(randomTokens(options.shape, options.seed), LEARNING_RATE);
    const { bytesRead, bytesWritten, matmulGflops } = counts;
    return {
      value: {
        ...{ ...report, bytesRead, bytesWritten, matmulGflops, finishedSteps: state.localSteps },
        seconds: (performance.now() - counts.beganMs - counts.measuringMs) / 1000,
        computeSeconds: counts.computeMs / 1000,
        gradientSeconds: counts.gradientMs / 1000,
        gradientComputeSeconds: counts.gradientComputeMs / 1000,
      },
    };
  },
} satisfies VirtualCalls);

function newCounts(): Counts {
  const times = { beganMs: 0, measuringMs: 0, computeMs: 0, gradientMs: 0, gradientComputeMs: 0 };
  return { ...times, bytesRead: 0, bytesWritten: 0, matmulGflops: [] };
}

function randomTokens({ batch, sequence }: BatchShape, seed: number): Batch {
  const random = seededRandom(seed);
  const draw = () => Int32Array.from({ length: batch * sequence }, () => random() % PRESETS['ailo-840m'].vocabSize);
  return { tokens: draw(), targets: draw() };
}
