/** Runs in Chromium: one engine with one model. */
import { loadAilo } from './ailo.ts';
import { loadTransformers } from './transformers.ts';
import type { SoloAnswer, SoloEngine, SoloEngineName, SoloLoad } from './types.ts';
import { loadWllama } from './wllama.ts';

declare global {
  /** Called by the benchmark, once. */
  function soloLoad(load: SoloLoad): Promise<void>;
  function soloAnswer(question: { prompt: number[]; newTokens: number }): Promise<SoloAnswer>;
}

const LOADERS: Record<SoloEngineName, (load: SoloLoad) => Promise<SoloEngine>> = {
  ailo: loadAilo,
  'transformers.js': loadTransformers,
  wllama: loadWllama,
};

let engine: SoloEngine;
globalThis.soloLoad = async (load) => {
  engine = await LOADERS[load.engine](load);
};
globalThis.soloAnswer = ({ prompt, newTokens }) => engine.answer(prompt, newTokens);
