import type { ModelConfig } from '../model/types.ts';
import type { WireDtype } from '../tensor/payload.ts';
import { memoryOf } from './memory.ts';
import { record } from './stage.ts';
import type { Quant, StageMemory, Unit, UnitRange } from './types.ts';
import { unitRun } from './units.ts';

/** Bytes of a unit's weights as the engine holds them; without the RoPE tables, which a stage has only once. */
export function unitBytes(config: ModelConfig, unit: Unit, quant: Quant): number {
  const { weights } = record(config, [unit], { quant, contextLength: 1 }).graph;
  return weights.reduce((sum, { recipe, byteLength }) => (recipe.kind === 'rope' ? sum : sum + byteLength), 0);
}

/**
 * What `buildStage` would say of the memory of a stage, without its bytes. Throws STAGE_RANGE_INVALID,
 * MLP_PARTS_INVALID.
 */
export function stageMemory(
  config: ModelConfig,
  range: UnitRange,
  quant: Quant,
  contextLength: number,
  wire?: WireDtype,
): StageMemory {
  return runMemory(config, unitRun(config, range), quant, contextLength, wire);
}

/** As `stageMemory`, of units that follow each other. */
export function runMemory(
  config: ModelConfig,
  run: Unit[],
  quant: Quant,
  contextLength: number,
  wire?: WireDtype,
): StageMemory {
  const { weights } = record(config, run, { quant, contextLength }).graph;
  return memoryOf(config, run, weights, { quant, contextLength, ...(wire && { wire }) });
}
