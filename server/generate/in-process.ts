import { totalmem } from 'node:os';
import { generate } from '../../shared/generate/generate.ts';
import { loadConfig } from '../../shared/model/config.ts';
import { openWeights } from '../../shared/model/weights.ts';
import { folderSource } from '../model/folder-source.ts';
import { createNodeRuntime } from '../runtime/node-runtime.ts';
import type { RunGenerate } from './request.ts';

/** Of the machine's memory, what one command may take. */
const MEMORY_SHARE = 0.75;

/** Engine `node`: onnxruntime in this process. */
export const generateInProcess: RunGenerate = async function* (folder, request, signal) {
  const source = folderSource(folder);
  const config = await loadConfig(source, signal);
  const weights = await openWeights(source, signal);
  const runtime = createNodeRuntime({ budgetBytes: Math.floor(totalmem() * MEMORY_SHARE) });
  try {
    yield* generate({ ...request, config, weights, runtime, nowMs: () => performance.now() }, signal);
  } finally {
    await runtime.close();
  }
};
