/** What every engine computes: one block of ailo-840m over a short text, a loss of what comes out, and all gradients. */
import { seededRandom } from '../../../shared/sampler/random.ts';
import type { Parameter } from '../../../shared/train/model/family.ts';
import { parametersOf } from '../../../shared/train/model/model.ts';
import { PRESETS } from '../../../shared/train/presets.ts';
import { sizeOf } from '../../../shared/train/tape/tape.ts';
import { seededWeights } from '../solo/models.ts';

export const CONFIG = PRESETS['ailo-840m'];
export const TOKENS = 128;
/** What the names of its parameters begin with in the model. */
export const LAYER = 'transformer.h.0.';
const SEED = 20_261_125;

/** By its name within the block: `ln_1.weight`, `attn.c_attn.weight` … */
export interface BlockTensor {
  name: string;
  shape: readonly number[];
  values: Float32Array<ArrayBuffer>;
}

export interface BlockProblem {
  /** [TOKENS, hiddenSize]; its gradient is asked for as well. */
  before: BlockTensor;
  /** [TOKENS, hiddenSize]; the loss is the sum over what comes out of the block times this. */
  upstream: BlockTensor;
  parameters: BlockTensor[];
}

export function blockParameters(): Parameter[] {
  return parametersOf(CONFIG)
    .filter(({ name }) => name.startsWith(LAYER))
    .map((parameter) => ({ ...parameter, name: parameter.name.slice(LAYER.length) }));
}

export async function blockProblem(): Promise<BlockProblem> {
  const weights = seededWeights(CONFIG, SEED);
  const parameters: BlockTensor[] = [];
  for (const { name, shape } of blockParameters()) {
    parameters.push({ name, shape, values: new Float32Array(await weights.readFloat32(LAYER + name)) });
  }
  return { before: stream('before', 1), upstream: stream('upstream', 2), parameters };
}

function stream(name: string, seed: number): BlockTensor {
  const random = seededRandom(SEED - seed);
  const shape = [TOKENS, CONFIG.hiddenSize];
  return { name, shape, values: Float32Array.from({ length: sizeOf(shape) }, () => random() / 2 ** 31 - 1) };
}

/** The matrices of a block with their rows and columns, as products [TOKENS, rows] · [rows, columns] apply them. */
export function blockMatrices(): [rows: number, columns: number][] {
  return blockParameters()
    .filter(({ shape }) => shape.length === 2)
    .map(({ shape }) => [shape[0]!, shape[1]!]);
}

/** Multiplications and additions of the products with matrices: forward, and for the gradients of both factors. */
export function productsFlops(): number {
  return blockMatrices().reduce((sum, [rows, columns]) => sum + 6 * TOKENS * rows * columns, 0);
}

/** Of a step: with those of attention, over whole squares. */
export function blockFlops(): number {
  return productsFlops() + 12 * TOKENS * TOKENS * CONFIG.hiddenSize;
}
