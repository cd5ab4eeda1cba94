/** A model's figures as its room needs them: memory of a run of units, and a plan over candidates. Pure. */
import { AiloError } from '../../shared/errors/index.ts';
import { totalBytes } from '../../shared/graph/memory.ts';
import { stageMemory, unitBytes } from '../../shared/graph/placement.ts';
import type { Quant, UnitRange } from '../../shared/graph/types.ts';
import { unitCost, units } from '../../shared/graph/units.ts';
import type { ModelConfig } from '../../shared/model/types.ts';
import { plan } from '../../shared/plan/plan.ts';
import { CACHE_BYTES, MAX_SEQUENCES, MIN_SEQUENCES } from './limits.ts';
import type { Placement, RoomSpec } from './room.ts';

/** How many sequences a room keeps caches for, as its memory allows. */
export function sequencesOf(config: ModelConfig, quant: Quant, contextLength: number): number {
  const whole = { start: 0, end: units(config).length };
  const { weightBytes, cacheBytes } = stageMemory(config, whole, quant, contextLength);
  const fitting = Math.floor(Math.max(weightBytes, CACHE_BYTES) / cacheBytes);
  return Math.max(MIN_SEQUENCES, Math.min(MAX_SEQUENCES, fitting));
}

export interface SizingOptions {
  quant: Quant;
  contextLength: number;
  maxSequences: number;
}

export function sizing(
  config: ModelConfig,
  { quant, contextLength, maxSequences }: SizingOptions,
): Pick<RoomSpec, 'units' | 'memoryBytes' | 'plan'> {
  const all = units(config);
  const unitCosts = all.map((unit) => unitCost(config, unit));
  const { bytesOfUnits, overheadBytes } = additiveBytes(config, { quant, contextLength, maxSequences });
  const known = new Map<string, number>();

  function memoryBytes(range: UnitRange): number {
    const key = `${range.start}-${range.end}`;
    const bytes = known.get(key) ?? totalBytes(stageMemory(config, range, quant, contextLength), maxSequences);
    known.set(key, bytes);
    return bytes;
  }

  return {
    units: all.length,
    memoryBytes,
    plan(range, candidates, random, stages) {
      const nodes = candidates.map(({ node, offer }) => ({
        id: node,
        speed: offer.matmulGflops,
        budgetBytes: offer.budgetBytes - overheadBytes,
      }));
      const part = <T>(values: T[]) => values.slice(range.start, range.end);
      try {
        const input = { unitCosts: part(unitCosts), unitBytes: part(bytesOfUnits), nodes, random };
        const planned = plan(stages === undefined ? input : { ...input, stages });
        return planned.stages.map(
          ({ node, start, end }): Placement => ({
            node,
            range: { start: range.start + start, end: range.start + end },
          }),
        );
      } catch (error) {
        if (error instanceof AiloError && error.code === 'PLAN_IMPOSSIBLE') return undefined;
        throw error;
      }
    },
  };
}

/**
 * Planning adds up units, but what a stage has once (intermediate values, RoPE tables, journals) does not add up: it is taken
 * from every node's budget instead. The sum is never less than the stage's real memory.
 */
function additiveBytes(config: ModelConfig, { quant, contextLength, maxSequences }: SizingOptions) {
  let [workingBytes, tableBytes, journalBytes] = [0, 0, 0];
  const bytesOfUnits = units(config).map((unit, start) => {
    const memory = stageMemory(config, { start, end: start + 1 }, quant, contextLength);
    const weightBytes = unitBytes(config, unit, quant);
    workingBytes = Math.max(workingBytes, memory.workingBytes);
    journalBytes = Math.max(journalBytes, memory.journalBytes);
    tableBytes = Math.max(tableBytes, memory.weightBytes - weightBytes);
    return weightBytes + maxSequences * memory.cacheBytes;
  });
  return { bytesOfUnits, overheadBytes: workingBytes + tableBytes + maxSequences * journalBytes };
}
