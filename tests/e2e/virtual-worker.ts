/** Runs in a worker of a page: steps of a small model, in memory or with its weights in chunks and files. */
import { createWorkerFiles } from '../../extension/compute/file-client.ts';
import { createWebEngine } from '../../extension/compute/web-runtime.ts';
import { indexedDbChunks } from '../../extension/offscreen/chunk-store.ts';
import { openDatabase } from '../../extension/offscreen/database.ts';
import { toAiloError } from '../../shared/errors/index.ts';
import { seededRandom } from '../../shared/sampler/random.ts';
import { randomBatch } from '../../shared/train/data.ts';
import { hashOfValues } from '../../shared/train/flat.ts';
import { initialiser } from '../../shared/train/initialise.ts';
import { parametersOf } from '../../shared/train/model/model.ts';
import { ADAMW, adamW } from '../../shared/train/optimiser/adamw.ts';
import { PRESETS } from '../../shared/train/presets.ts';
import { loadStepGraphs } from '../../shared/train/step-graphs.ts';
import { memoryStore } from '../../shared/train/store.ts';
import { Trainer } from '../../shared/train/trainer.ts';
import { nameOfWeights, readChunks, writeChunks } from '../../shared/train/virtual/chunks.ts';
import { layoutOf } from '../../shared/train/virtual/layout.ts';
import { TrainingState } from '../../shared/train/virtual/state.ts';
import { VirtualTrainer } from '../../shared/train/virtual/trainer.ts';

export interface Job {
  where: 'memory' | 'files';
  steps: number;
}

/** A step that is finished, or all. */
export type Message = { step: number } | { failure: string } | { hash: string; resumedAt: number; fetched: number };

const config = { ...PRESETS['nano-char'], layers: 3 };
const shape = { batch: 2, sequence: 32 };
const maxGradientNorm = 0.5;
const optimiser = adamW(ADAMW);
const parameters = parametersOf(config);
const layout = layoutOf(parameters);
/** So that the model is many of them. */
const [CHUNK_BYTES, SEGMENT_VALUES] = [2 ** 18, 10_000];

function batchOf(step: number) {
  const random = seededRandom(step);
  const text = Int32Array.from({ length: 500 }, () => random() % config.vocabSize);
  return randomBatch(text, shape, random);
}

const post = (message: Message) => self.postMessage(message);

async function inMemory(steps: number): Promise<void> {
  const graphs = await loadStepGraphs(await createWebEngine('wasm', 2), { config, shape, optimiser, form: 'blocks' });
  const weights = memoryStore(parameters, initialiser(1));
  const trainer = new Trainer(graphs, { weights, maxGradientNorm });
  for (let step = 0; step < steps; step++) await trainer.step(batchOf(step), 0.01);
  const values = new Float32Array(layout.values);
  for (const { name, start } of layout.tensors) values.set(await weights.read(name), start);
  post({ hash: hashOfValues(values), resumedAt: 0, fetched: 0 });
}

async function inFiles(steps: number): Promise<void> {
  const files = await createWorkerFiles('tiny');
  const state = await TrainingState.open({ files, layout, slots: optimiser.slots, segmentValues: SEGMENT_VALUES });
  const served = new Map<string, Uint8Array>();
  const put = async (hash: string, bytes: Uint8Array) => void served.set(hash, bytes);
  const chunks = await writeChunks(parameters.map(initialiser(1)), put, CHUNK_BYTES);
  let fetched = 0;
  const source = {
    model: 'tiny',
    store: indexedDbChunks(openDatabase(), { budgetBytes: async () => 2 ** 30, now: () => Date.now() }),
    async fetch(hash: string) {
      fetched++;
      return served.get(hash)!;
    },
  };
  const start = await nameOfWeights(chunks);
  if (state.start === undefined) await state.begin(start, readChunks(chunks, source));
  else for await (const _ of readChunks(chunks, source));
  const engine = await createWebEngine('wasm', 2);
  const trainer = await VirtualTrainer.open({ engine, config, shape, optimiser, maxGradientNorm, state });
  const resumedAt = state.localSteps;
  while (state.localSteps < steps) {
    await trainer.step(batchOf(state.localSteps), 0.01);
    post({ step: state.localSteps });
  }
  const values = new Float32Array(layout.values);
  await state.weights.read(0, values);
  post({ hash: hashOfValues(values), resumedAt, fetched });
}

self.addEventListener('message', async ({ data: { where, steps } }: MessageEvent<Job>) => {
  try {
    await (where === 'memory' ? inMemory : inFiles)(steps);
  } catch (thrown) {
    post({ failure: `${toAiloError(thrown).message} ${thrown}` });
  }
});
