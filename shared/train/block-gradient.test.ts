import { afterAll, describe, expect, test } from 'vitest';
import { createNodeEngine } from '../../server/runtime/node-engine.ts';
import { BlockGradient } from './block-gradient.ts';
import { memoryStore as memoryValues } from './codec/store.ts';
import { loadWholeGradient } from './gradient.ts';
import { initialiser } from './initialise.ts';
import { parametersOf } from './model/model.ts';
import { PRESETS } from './presets.ts';
import { memoryStore, sourceOf } from './store.ts';

const engine = createNodeEngine({ threads: 1 });
afterAll(() => engine.close());

const small = { layers: 2, hiddenSize: 16, heads: 2, kvHeads: 2, headDim: 8, intermediateSize: 64, vocabSize: 65 };
const MODELS = {
  'gpt2, tied': { ...PRESETS['nano-char'], ...small },
  'llama, with a head of its own': { ...PRESETS['ailo-guide'], ...small, tiedHead: false },
};
const shape = { batch: 2, sequence: 8 };
/** Tokens repeat, the last of the vocabulary is among them, and some targets do not count. */
const tokens = Int32Array.from({ length: 16 }, (_, i) => (i % 3 === 0 ? 64 : (7 * i) % 11));
const targets = Int32Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? -1 : (9 * i) % 65));

describe.each(Object.entries(MODELS))('block by block, %s:', (_, config) => {
  test.each([1, 2, 5])('the gradient over %i tiles of the head is that of the whole model', async (tiles) => {
    const weights = memoryStore(parametersOf(config), initialiser(3));
    const whole = await loadWholeGradient(engine, config, shape);
    const expected = await whole.compute(weights, { tokens, targets });
    const blocks = await BlockGradient.load(engine, config, shape, Math.ceil(65 / tiles) * config.hiddenSize);
    const { tensors, values } = blocks.layout;
    const gradients = new Float32Array(values).fill(9);
    for (let run = 0; run < 2; run++) {
      const loss = await blocks.compute(sourceOf(weights, tensors), { tokens, targets }, memoryValues(gradients));
      expect(loss).toBeCloseTo(expected.loss, 5);
    }
    for (const { name, start, length } of tensors) {
      const [found, right] = [gradients.subarray(start, start + length), expected.gradients.get(name)!];
      const size = Math.max(...right.map(Math.abs));
      expect(Math.max(...found.map((value, i) => Math.abs(value - right[i]!))) / size, name).toBeLessThan(1e-5);
    }
    await blocks.release();
    await whole.release();
  });
});
