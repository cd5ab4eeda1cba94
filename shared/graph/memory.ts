import type { ModelConfig } from '../model/types.ts';
import { payloadBytes, type WireDtype } from '../tensor/payload.ts';
import { MAX_STEP_ROWS } from './limits.ts';
import { slicesOf } from './mlp-parts.ts';
import type { Quant, StageMemory, Unit, WeightSpec } from './types.ts';
import { mlpParts, widths } from './units.ts';
import { wireOf } from './wire.ts';

const FLOAT_BYTES = 4;

/** What a stage of these units and weights takes. */
export function memoryOf(
  config: ModelConfig,
  run: Unit[],
  weights: WeightSpec[],
  { quant, contextLength, wire = wireOf(quant) }: { quant: Quant; contextLength: number; wire?: WireDtype },
): StageMemory {
  const attentions = run.filter((unit) => unit.kind === 'attention').length;
  const isLast = run.at(-1)?.kind === 'head';
  return {
    weightBytes: weights.reduce((sum, weight) => sum + weight.byteLength, 0),
    cacheBytes: attentions * cacheBytes(config, contextLength),
    journalBytes: isLast ? 0 : contextLength * payloadBytes(1, widths(config, run).outWidth, wire),
    workingBytes: Math.max(...run.map((unit) => workingBytes(config, unit, contextLength))),
    loadingBytes: weights.reduce((most, weight) => Math.max(most, isMatrix(weight) ? weight.byteLength : 0), 0),
  };
}

function isMatrix({ recipe: { kind } }: WeightSpec): boolean {
  return kind !== 'copy' && kind !== 'rows' && kind !== 'rope';
}

/** Keys and values of one layer and one sequence. */
export function cacheBytes({ kvHeads, headDim }: ModelConfig, contextLength: number): number {
  return 2 * kvHeads * contextLength * headDim * FLOAT_BYTES;
}

/** Values that are alive at once in the largest step, as upper estimate: input, output, residual and what lies between. */
export function workingBytes(config: ModelConfig, unit: Unit, contextLength: number): number {
  const { hiddenSize, heads, kvHeads, headDim, vocabSize } = config;
  const stream = MAX_STEP_ROWS * 4 * hiddenSize;
  const between = {
    embedding: 0,
    attention: MAX_STEP_ROWS * (heads * contextLength + 2 * (2 * heads + 2 * kvHeads) * headDim),
    mlp: unit.kind === 'mlp' ? MAX_STEP_ROWS * mlpColumns(config, unit) : 0,
    head: 2 * vocabSize,
  };
  return (stream + between[unit.kind]) * FLOAT_BYTES;
}

/** Values for each row: the widest slice three times, sums on their way in and out, and what a mixture picks out. */
function mlpColumns(config: ModelConfig, unit: Unit & { kind: 'mlp' }): number {
  const { hiddenSize, experts } = config;
  const widest = Math.max(...slicesOf(config, mlpParts(unit)).map(({ start, end }) => end - start));
  return 3 * widest + 2 * hiddenSize + (experts ? 6 * hiddenSize + 2 * experts.count : 0);
}

/** All that a stage may take, while it is loaded or with `maxSequences` sequences open. */
export function totalBytes(memory: StageMemory, maxSequences: number): number {
  const { weightBytes, cacheBytes, journalBytes, workingBytes, loadingBytes } = memory;
  return weightBytes + Math.max(maxSequences * (cacheBytes + journalBytes) + workingBytes, loadingBytes);
}
