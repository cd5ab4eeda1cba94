/**
 * Speed of training in Node.js beside PyTorch's, one thread each, in CPU time, which does not depend on what else the
 * machine does: a step of nano-char (batch 12, 64 tokens, AdamW and clipping), and forward and backward of one block of
 * ailo-840m over 128 tokens. Without a python3 that has torch, `pytorch` is null.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createNodeEngine } from '../../../server/runtime/node-engine.ts';
import type { TensorEngine, Values } from '../../../shared/runtime/tensor-engine.ts';
import { blockBackward } from '../../../shared/train/block-graphs.ts';
import { PORTS } from '../../../shared/train/graphs.ts';
import { initialiser } from '../../../shared/train/initialise.ts';
import { parametersOf } from '../../../shared/train/model/model.ts';
import { ADAMW, adamW } from '../../../shared/train/optimiser/adamw.ts';
import { PRESETS } from '../../../shared/train/presets.ts';
import { loadStepGraphs } from '../../../shared/train/step-graphs.ts';
import { memoryStore } from '../../../shared/train/store.ts';
import { Trainer } from '../../../shared/train/trainer.ts';

const RUNS = 10;

async function cpuMs(run: () => Promise<unknown>): Promise<number> {
  await run();
  const start = process.cpuUsage();
  for (let index = 0; index < RUNS; index++) await run();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000 / RUNS;
}

async function nanoCharStep(engine: TensorEngine): Promise<number> {
  const config = PRESETS['nano-char'];
  const shape = { batch: 12, sequence: 64 };
  const graphs = await loadStepGraphs(engine, { config, shape, optimiser: adamW(ADAMW) });
  const weights = memoryStore(parametersOf(config), initialiser(0));
  const trainer = new Trainer(graphs, { weights, maxGradientNorm: 1 });
  const tokens = Int32Array.from({ length: 12 * 64 }, (_, index) => (7 * index) % config.vocabSize);
  return cpuMs(() => trainer.step({ tokens, targets: tokens }, 1e-3));
}

async function largeBlock(engine: TensorEngine): Promise<number> {
  const config = PRESETS['ailo-840m'];
  const { onnx, names } = blockBackward(config, { batch: 1, sequence: 128 });
  const initial = initialiser(0);
  const inputs: Record<string, Values> = {};
  for (const parameter of parametersOf(config).filter(({ name }) => names.includes(name))) {
    inputs[parameter.name] = { data: initial(parameter), shape: parameter.shape };
  }
  const before = initial({ name: 'before', shape: [128, config.hiddenSize], init: { deviation: 1 } });
  for (const port of [PORTS.before, PORTS.gradient(PORTS.after)]) {
    inputs[port] = { data: before, shape: [128, config.hiddenSize] };
  }
  const graph = await engine.load(onnx);
  return cpuMs(() => graph.run(inputs));
}

function pytorch(): object | null {
  try {
    const script = fileURLToPath(new URL('pytorch.py', import.meta.url));
    return JSON.parse(
      execFileSync('/usr/bin/python3', [script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
    );
  } catch {
    return null;
  }
}

export async function native(): Promise<object> {
  const engine = createNodeEngine({ threads: 1 });
  try {
    const ailo = { nanoCharStepMs: await nanoCharStep(engine), largeBlockMs: await largeBlock(engine) };
    return { ailo, pytorch: pytorch() };
  } finally {
    await engine.close();
  }
}
