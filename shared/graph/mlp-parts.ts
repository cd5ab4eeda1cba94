/** Parts of an MLP half-layer, so that it can lie on several nodes: whole experts, or columns of an MLP. Pure. */
import type { ModelConfig } from '../model/types.ts';
import { INT4_BLOCK, MAX_MLP_PARTS } from './limits.ts';
import type { MlpParts } from './types.ts';

/** Columns [start, end) of the intermediate values of one MLP: the layer's only one (expert 0), or an expert's. */
export interface MlpSlice {
  expert: number;
  start: number;
  end: number;
}

/** The most parts that each MLP of the model can have. */
export function maxMlpParts(config: ModelConfig): number {
  return Math.min(MAX_MLP_PARTS, expertCount(config) * columnBlocks(config));
}

/**
 * What these parts compute of an MLP, which is the sum over its columns: as equal as can be, whole experts while there
 * are enough of them, otherwise blocks of columns, so that a 4-bit part has the very weights of the whole.
 */
export function slicesOf(config: ModelConfig, { start, end, of }: MlpParts): MlpSlice[] {
  const { intermediateSize } = config;
  const experts = expertCount(config);
  const [pieces, width] = of <= experts ? [1, intermediateSize] : [columnBlocks(config), INT4_BLOCK];
  const [from, to] = [start, end].map((part) => Math.floor((part * experts * pieces) / of)) as [number, number];
  const slices: MlpSlice[] = [];
  for (let expert = Math.floor(from / pieces); expert * pieces < to; expert++) {
    const [first, last] = [Math.max(0, from - expert * pieces), Math.min(pieces, to - expert * pieces)];
    slices.push({ expert, start: first * width, end: Math.min(intermediateSize, last * width) });
  }
  return slices;
}

function expertCount({ experts }: ModelConfig): number {
  return experts?.count ?? 1;
}

function columnBlocks({ intermediateSize }: ModelConfig): number {
  return Math.ceil(intermediateSize / INT4_BLOCK);
}
