import { AiloError } from '../../errors/index.ts';
import type { ModelConfig } from '../../model/types.ts';
import { sizeOf, Tape, type Tensor } from '../tape/tape.ts';
import type { Forward, Parameter, TrainingFamily } from './family.ts';
import { gpt2 } from './gpt2.ts';
import { llama } from './llama.ts';
import { isTrained, loraParameters, type TrainingConfig } from './lora.ts';

const FAMILIES: Partial<Record<ModelConfig['family'], TrainingFamily>> = { llama, qwen2: llama, gpt2 };

/** Throws TRAINING_FAMILY_UNKNOWN. */
export function familyOf({ family }: ModelConfig): TrainingFamily {
  const known = FAMILIES[family];
  if (!known) throw AiloError.of('TRAINING_FAMILY_UNKNOWN', { family });
  return known;
}

/** Every tensor of the model, in the order of execution, then those of its adapters; also of a family that is not trained. */
export function parametersOf(config: TrainingConfig): Parameter[] {
  const base = (config.family === 'mixtral' ? llama : familyOf(config)).parameters(config);
  return config.lora ? [...base, ...loraParameters(config, config.lora, base)] : base;
}

/** Those that training changes. */
export function trainedOf(config: TrainingConfig): Parameter[] {
  return parametersOf(config).filter(({ name }) => isTrained(config, name));
}

export function parameterCount(config: TrainingConfig): number {
  return valueCount(parametersOf(config));
}

export function valueCount(parameters: readonly Parameter[]): number {
  return parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}

/** Sequences of one step, all of the same length in tokens. */
export interface BatchShape {
  batch: number;
  sequence: number;
}

/** What is recorded of a model, with the parameters it asked for as inputs under their own names, in that order. */
export interface Recorded<T> {
  g: Tape;
  result: T;
  parameters: Map<string, Tensor>;
  /** Of the parameters, those that training changes. */
  trained: Map<string, Tensor>;
}

/** Records a part of a model on a new tape. */
export function record<T>(config: TrainingConfig, shape: BatchShape, part: (f: Forward) => T): Recorded<T> {
  const g = new Tape();
  const shapes = new Map(parametersOf(config).map((parameter) => [parameter.name, parameter.shape]));
  const parameters = new Map<string, Tensor>();
  const parameter = (name: string): Tensor => {
    const dims = shapes.get(name);
    if (!dims) throw new RangeError(`the model has no parameter ${name}`);
    const tensor = parameters.get(name) ?? g.input(name, dims);
    parameters.set(name, tensor);
    return tensor;
  };
  const result = part({ g, config, ...shape, parameter });
  return { g, result, parameters, trained: new Map([...parameters].filter(([name]) => isTrained(config, name))) };
}

/** The whole model: `tokens`, an input, is int32 [b, t]; the result is logits [b · t, vocabSize]. */
export function forward(f: Forward): Tensor {
  const family = familyOf(f.config);
  let x = family.embedding(f, tokenInput(f));
  for (let layer = 0; layer < f.config.layers; layer++) x = family.block(f, layer, x);
  return family.head(f, x);
}

export function tokenInput({ g, batch, sequence }: Forward): Tensor {
  return g.input('tokens', [batch, sequence], 'int32');
}
