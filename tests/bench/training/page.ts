/** Runs in Chromium: one engine with the block. */
import type { Digest } from './digest.ts';
import { loadJaxjs } from './jaxjs.ts';
import { loadOurs } from './ours.ts';
import { loadTfjs, loadTfjsTransposing } from './tfjs.ts';
import type { TrainingEngine, TrainingEngineName } from './types.ts';

declare global {
  /** Called by the benchmark, once. Returns the threads that the engine computes with. */
  function trainingLoad(load: { engine: TrainingEngineName; threads: number }): Promise<number>;
  function trainingDigest(): Promise<Digest>;
  function trainingStep(): Promise<number>;
  /** Of our engine. */
  function trainingProducts(): Promise<number>;
}

const LOADERS: Record<TrainingEngineName, (threads: number) => Promise<TrainingEngine>> = {
  ours: loadOurs,
  tfjs: loadTfjs,
  tfjsTransposing: loadTfjsTransposing,
  jaxjs: loadJaxjs,
};

let engine: TrainingEngine;
globalThis.trainingLoad = async (load) => {
  engine = await LOADERS[load.engine](load.threads);
  return engine.threads;
};
globalThis.trainingDigest = () => engine.digest();
globalThis.trainingStep = () => engine.step();
globalThis.trainingProducts = () => engine.products!();
