import { afterAll, describe, expect, test } from 'vitest';
import { createNodeEngine } from '../../server/runtime/node-engine.ts';
import { initialiser } from './initialise.ts';
import { parametersOf } from './model/model.ts';
import { ADAMW, adamW } from './optimiser/adamw.ts';
import { PRESETS } from './presets.ts';
import { loadStepGraphs } from './step-graphs.ts';
import { memoryStore } from './store.ts';
import { Trainer } from './trainer.ts';

const engine = createNodeEngine({ threads: 1 });
afterAll(() => engine.close());

const config = { ...PRESETS['nano-char'], layers: 1, hiddenSize: 16, headDim: 4, intermediateSize: 64 };
const shape = { batch: 2, sequence: 8 };
const ids = Int32Array.from({ length: 16 }, (_, i) => (5 * i) % 65);
const batch = { tokens: ids, targets: ids.map((id) => (id + 5) % 65) };
const load = () => loadStepGraphs(engine, { config, shape, optimiser: adamW(ADAMW) });

describe('a trainer', () => {
  test('learns one batch by heart, the same way each time', async () => {
    const losses: number[][] = [];
    const graphs = await load();
    for (let run = 0; run < 2; run++) {
      const weights = memoryStore(parametersOf(config), initialiser(1));
      const trainer = new Trainer(graphs, { weights, maxGradientNorm: 1 });
      const path: number[] = [];
      for (let step = 0; step < 60; step++) path.push((await trainer.step(batch, 0.02)).loss);
      losses.push(path);
    }
    await graphs.release();
    expect(losses[0]!.at(0)).toBeCloseTo(Math.log(65), 0);
    expect(losses[0]!.at(-1)).toBeLessThan(0.1);
    expect(losses[1]).toEqual(losses[0]);
  });

  test('stops where the loss is no number, and leaves the weights as they were', async () => {
    const weights = memoryStore(parametersOf(config), initialiser(1));
    const [bias, table] = ['transformer.ln_f.bias', 'transformer.wte.weight'];
    await weights.write(bias, new Float32Array(16).fill(Number.NaN));
    const before = await weights.read(table);
    const graphs = await load();
    const trainer = new Trainer(graphs, { weights, maxGradientNorm: 1 });
    await expect(trainer.step(batch, 0.1)).rejects.toMatchObject({ code: 'TRAINING_DIVERGED' });
    expect(await weights.read(table)).toBe(before);
    await graphs.release();
    await expect(trainer.step(batch, 0.1)).rejects.toMatchObject({ code: 'STAGE_RELEASED' });
  });
});
