import { totalmem } from 'node:os';
import { generate } from '../../shared/generate/generate.ts';
import { score } from '../../shared/generate/score.ts';
import { openAdapted } from '../../shared/model/adapter.ts';
import { loadConfig } from '../../shared/model/config.ts';
import { folderSource } from '../model/folder-source.ts';
import { createNodeRuntime } from '../runtime/node-runtime.ts';
import type { RunGenerate, RunScore } from './request.ts';

/** Of the machine's memory, what one command may take. */
const MEMORY_SHARE = 0.75;

/** Engine `node`: onnxruntime in this process. */
export const generateInProcess: RunGenerate = (folder, request, signal) =>
  inProcess(folder, request, signal, (model) =>
    generate({ ...request, ...model, nowMs: () => performance.now() }, signal),
  );

export const scoreInProcess: RunScore = (folder, request, signal) =>
  inProcess(folder, request, signal, (model) => score({ ...request, ...model }, signal));

async function* inProcess<Event>(
  folder: string,
  { adapter }: { adapter?: string | undefined },
  signal: AbortSignal,
  run: (model: Awaited<ReturnType<typeof open>>) => AsyncGenerator<Event, void, void>,
): AsyncGenerator<Event, void, void> {
  const model = await open(folder, adapter, signal);
  try {
    yield* run(model);
  } finally {
    await model.runtime.close();
  }
}

async function open(folder: string, adapter: string | undefined, signal: AbortSignal) {
  const source = folderSource(folder);
  const config = await loadConfig(source, signal);
  const weights = await openAdapted(source, adapter === undefined ? undefined : folderSource(adapter), config, signal);
  return { config, weights, runtime: createNodeRuntime({ budgetBytes: Math.floor(totalmem() * MEMORY_SHARE) }) };
}
