import type { ModelConfig } from '../../model/types.ts';
import { sizeOf, Tape, type Tensor } from '../tape/tape.ts';
import type { Parameter, TrainingFamily } from './family.ts';
import { gpt2 } from './gpt2.ts';
import { llama } from './llama.ts';

const FAMILIES: Record<ModelConfig['family'], TrainingFamily> = { llama, qwen2: llama, gpt2 };

/** Every tensor of the model, in the order of execution. */
export function parametersOf(config: ModelConfig): Parameter[] {
  return FAMILIES[config.family].parameters(config);
}

export function parameterCount(config: ModelConfig): number {
  return parametersOf(config).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}

/** Sequences of one step, all of the same length in tokens. */
export interface BatchShape {
  batch: number;
  sequence: number;
}

/** The whole model on a new tape: the parameters are inputs under their own names, `tokens` is int32 [b, t]. */
export function recordModel(
  config: ModelConfig,
  { batch, sequence }: BatchShape,
): { g: Tape; logits: Tensor; parameters: Map<string, Tensor> } {
  const g = new Tape();
  const parameters = new Map(parametersOf(config).map(({ name, shape }) => [name, g.input(name, shape)]));
  const parameter = (name: string): Tensor => {
    const found = parameters.get(name);
    if (!found) throw new RangeError(`the model has no parameter ${name}`);
    return found;
  };
  const family = FAMILIES[config.family];
  const forward = { g, config, batch, sequence, parameter };
  let x = family.embedding(forward, g.input('tokens', [batch, sequence], 'int32'));
  for (let layer = 0; layer < config.layers; layer++) x = family.block(forward, layer, x);
  return { g, logits: family.head(forward, x), parameters };
}
