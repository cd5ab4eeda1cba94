import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { folderSource } from '../../server/model/folder-source.ts';
import { createNodeEngine } from '../../server/runtime/node-engine.ts';
import { runTrainingReference, TRAINING_MODELS } from '../../tests/fixtures/training-reference.ts';

const CASES = TRAINING_MODELS.flatMap((name) => [[name, 'whole'] as const, [name, 'blocks'] as const]);

/** Reference: tests/fixtures/make_training_reference.py, PyTorch's autograd and AdamW in float64. */
test.each(CASES)('%s, %s: loss, every gradient and five AdamW steps agree with PyTorch', async (name, form) => {
  const folder = fileURLToPath(new URL(`../../tests/fixtures/training/${name}/`, import.meta.url));
  const errors = await runTrainingReference(createNodeEngine({ threads: 1 }), folderSource(folder), form);
  expect(errors.loss).toBeLessThan(1e-5);
  expect(errors.path).toBeLessThan(1e-4);
  const above = (part: Record<string, number>) => Object.entries(part).filter(([, error]) => !(error < 1e-4));
  expect(above(errors.gradients)).toEqual([]);
  expect(above(errors.weights)).toEqual([]);
});
