/** Low-rank adapters (LoRA, Hu et al. 2021) in PEFT's layout: their names, and weights that they are merged into. */
import * as v from 'valibot';
import { AiloError } from '../errors/index.ts';
import { parseJson } from './json.ts';
import { MAX_ADAPTER_RANK, MAX_CONFIG_BYTES } from './limits.ts';
import type { ModelConfig, ModelSource, WeightReader } from './types.ts';
import { openWeights, openWeightsFile } from './weights.ts';

export const ADAPTER_CONFIG_FILE = 'adapter_config.json';
export const ADAPTER_WEIGHTS_FILE = 'adapter_model.safetensors';
const PREFIX = 'base_model.model.';

/** An adapter adds alpha / rank · B·A to a matrix [out, in]. */
export interface Lora {
  rank: number;
  alpha: number;
}

export interface Adapter extends Lora {
  /** Of its tensors. */
  names: string[];
  weights: WeightReader;
}

/** The tensors of a matrix's adapter: a is [rank, in], b is [out, rank]. */
export function adapterNames(matrix: string): { a: string; b: string } {
  const layer = PREFIX + matrix.replace(/\.weight$/, '');
  return { a: `${layer}.lora_A.weight`, b: `${layer}.lora_B.weight` };
}

export function isAdapterTensor(name: string): boolean {
  return name.startsWith(PREFIX);
}

/** Whether a family stores its matrices [in, out] instead of [out, in]. */
export function storedInOut({ family }: Pick<ModelConfig, 'family'>): boolean {
  return family === 'gpt2';
}

/** What changes how an adapter computes has to be as we know it. */
const AdapterConfig = v.looseObject({
  peft_type: v.literal('LORA', 'only LoRA adapters can be used'),
  r: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_ADAPTER_RANK)),
  lora_alpha: v.pipe(v.number(), v.finite()),
  bias: v.optional(v.literal('none', 'adapters with biases cannot be used')),
  use_rslora: v.nullish(v.literal(false, 'only false can be used')),
  use_dora: v.nullish(v.literal(false, 'only false can be used')),
  rank_pattern: v.nullish(v.strictObject({})),
  alpha_pattern: v.nullish(v.strictObject({})),
});

/** Throws ADAPTER_INVALID and the errors of reading weights. */
export async function openAdapter(source: ModelSource, signal?: AbortSignal): Promise<Adapter> {
  const bytes = await source.readFile(ADAPTER_CONFIG_FILE, MAX_CONFIG_BYTES, signal);
  const { r: rank, lora_alpha: alpha } = parseJson(AdapterConfig, bytes, invalid);
  return { rank, alpha, ...(await openWeightsFile(source, ADAPTER_WEIGHTS_FILE, signal)) };
}

/** A model's weights, with an adapter in them where there is one. Throws as `openWeights`, `openAdapter`, `withAdapter`. */
export async function openAdapted(
  model: ModelSource,
  adapter: ModelSource | undefined,
  config: ModelConfig,
  signal?: AbortSignal,
): Promise<WeightReader> {
  const weights = await openWeights(model, signal);
  return adapter ? withAdapter(weights, await openAdapter(adapter, signal), config) : weights;
}

/** The base's weights with the adapter in them. Throws ADAPTER_INVALID where it does not fit the base. */
export function withAdapter(base: WeightReader, adapter: Adapter, config: ModelConfig): WeightReader {
  const inOut = storedInOut(config);
  for (const matrix of matricesOf(adapter)) requireFit(base, adapter, matrix, inOut);
  const { rank, alpha, weights } = adapter;
  const merged = async (name: string, start: number, values: Float32Array, signal?: AbortSignal) => {
    const { a, b } = adapterNames(name);
    if (!weights.has(a)) return values;
    const factors = { a: await weights.readFloat32(a, signal), b: await weights.readFloat32(b, signal) };
    const columns = base.info(name).shape[1]!;
    return addProduct(values, factors, { inOut, columns, rank, start, scale: alpha / rank });
  };
  return {
    ...base,
    readFloat32: async (name, signal) => merged(name, 0, await base.readFloat32(name, signal), signal),
    readFloat32Rows: async (name, start, end, signal) =>
      merged(name, start, await base.readFloat32Rows(name, start, end, signal), signal),
  };
}

/** The matrices of the base that it adds to. */
function matricesOf({ names }: Adapter): string[] {
  const matrices = names.map((name) => /^base_model\.model\.(.+)\.lora_[AB]\.weight$/.exec(name)?.[1]);
  const unknown = matrices.indexOf(undefined);
  if (unknown >= 0) throw invalid(`“${names[unknown]!.slice(0, 100)}” is no tensor of an adapter`);
  return [...new Set(matrices)].map((layer) => `${layer}.weight`);
}

function requireFit(base: WeightReader, { weights, rank }: Adapter, matrix: string, inOut: boolean): void {
  if (!base.has(matrix)) throw invalid(`this model has no “${matrix.slice(0, 100)}”`);
  const { shape } = base.info(matrix);
  const [inSize, outSize] = inOut ? shape : shape.toReversed();
  const { a, b } = adapterNames(matrix);
  for (const [name, needed] of [
    [a, [rank, inSize]],
    [b, [outSize, rank]],
  ] as const) {
    const stored = weights.info(name).shape;
    if (stored.join() !== needed.join()) throw invalid(`“${name}” is [${stored}] where the model needs [${needed}]`);
  }
}

export interface Placement {
  inOut: boolean;
  /** Of the stored matrix; `values` are its rows from `start` on. */
  columns: number;
  start: number;
  rank: number;
  scale: number;
}

/** values + scale · B·A, as the matrix is stored; sums in float64, rounded once. */
export function addProduct(
  values: Float32Array,
  { a, b }: { a: Float32Array; b: Float32Array },
  { inOut, columns, start, rank, scale }: Placement,
): Float32Array {
  const inSize = a.length / rank;
  const result = new Float32Array(values.length);
  const row = new Float64Array(columns);
  for (let at = 0; at < values.length; at += columns) {
    const index = start + at / columns;
    row.fill(0);
    for (let r = 0; r < rank; r++) {
      const factor = inOut ? a[r * inSize + index]! : b[index * rank + r]!;
      if (inOut) for (let column = 0; column < columns; column++) row[column]! += factor * b[column * rank + r]!;
      else for (let column = 0; column < columns; column++) row[column]! += factor * a[r * inSize + column]!;
    }
    for (let column = 0; column < columns; column++) result[at + column] = values[at + column]! + scale * row[column]!;
  }
  return result;
}

function invalid(reason: string): AiloError {
  return AiloError.of('ADAPTER_INVALID', { reason });
}
