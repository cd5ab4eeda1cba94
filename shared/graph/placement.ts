import type { ModelConfig } from '../model/types.ts';
import { memoryOf } from './memory.ts';
import { record } from './stage.ts';
import type { Quant, StageMemory, Unit, UnitRange } from './types.ts';
import { units } from './units.ts';

/** Bytes of a unit's weights as the engine holds them; without the RoPE tables, which a stage has only once. */
export function unitBytes(config: ModelConfig, unit: Unit, quant: Quant): number {
  const index = units(config).findIndex((other) => other.kind === unit.kind && layerOf(other) === layerOf(unit));
  const { weights } = record(config, { start: index, end: index + 1 }, { quant, contextLength: 1 }).graph;
  return weights.reduce((sum, { recipe, byteLength }) => (recipe.kind === 'rope' ? sum : sum + byteLength), 0);
}

/** What `buildStage` would say of the memory of a stage, without its bytes. Throws STAGE_RANGE_INVALID. */
export function stageMemory(config: ModelConfig, range: UnitRange, quant: Quant, contextLength: number): StageMemory {
  const { weights } = record(config, range, { quant, contextLength }).graph;
  return memoryOf(config, units(config).slice(range.start, range.end), weights, { quant, contextLength });
}

function layerOf(unit: Unit): number {
  return 'layer' in unit ? unit.layer : -1;
}
