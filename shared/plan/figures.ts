/** What a model's placement units cost and take, as planning adds them up. Pure. */
import { workingBytes } from '../graph/memory.ts';
import { runMemory, unitBytes } from '../graph/placement.ts';
import type { Quant, Unit } from '../graph/types.ts';
import { unitCost, units } from '../graph/units.ts';
import type { ModelConfig } from '../model/types.ts';
import type { WireDtype } from '../tensor/payload.ts';

export interface StageOptions {
  quant: Quant;
  /** Tokens. */
  contextLength: number;
  /** Sequences that a stage keeps caches and journals for. */
  maxSequences: number;
  /** How journals keep hidden states; absent: as the quantisation has it. */
  wire?: WireDtype;
}

export interface Figures {
  /** FLOPs per token of each unit. */
  unitCosts: number[];
  /** Weights and KV caches of each unit. */
  unitBytes: number[];
  /** What a stage takes beside its units, at most. */
  overheadBytes: number;
}

/**
 * What a stage has once (intermediate values, RoPE tables, journals) does not add up: it is to be taken from every
 * node's budget instead. Both together are never less than the stage's real memory. Layers are alike, so that only the
 * first is looked at.
 */
export function figuresOf(
  config: ModelConfig,
  mlpParts: number,
  { quant, contextLength, maxSequences, wire }: StageOptions,
): Figures {
  const all = units(config, mlpParts);
  const figures: Figures = { unitCosts: [], unitBytes: [], overheadBytes: 0 };
  const known = new Map<string, { cost: number; bytes: number }>();
  // Of whole half-layers: parts that are joined compute on more columns at once than each alone.
  const largest = Math.max(...units(config).map((unit) => workingBytes(config, unit, contextLength)));
  let [tableBytes, journalBytes, loadingBytes] = [0, 0, 0];
  for (const unit of all) {
    const key = kindOf(unit);
    let figure = known.get(key);
    if (!figure) {
      const memory = runMemory(config, [unit], quant, contextLength, wire);
      const weightBytes = unitBytes(config, unit, quant);
      tableBytes = Math.max(tableBytes, memory.weightBytes - weightBytes);
      journalBytes = Math.max(journalBytes, memory.journalBytes);
      loadingBytes = Math.max(loadingBytes, memory.loadingBytes);
      figure = { cost: unitCost(config, unit), bytes: weightBytes + maxSequences * memory.cacheBytes };
      known.set(key, figure);
    }
    figures.unitCosts.push(figure.cost);
    figures.unitBytes.push(figure.bytes);
  }
  figures.overheadBytes = tableBytes + Math.max(largest + maxSequences * journalBytes, loadingBytes);
  return figures;
}

function kindOf(unit: Unit): string {
  return unit.kind === 'mlp' && unit.parts ? `mlp ${unit.parts.start}` : unit.kind;
}
