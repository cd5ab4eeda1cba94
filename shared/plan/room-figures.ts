/** What a room of a model asks of its nodes, where all offer the same. Pure. */
import type { ModelConfig } from '../model/types.ts';
import { divisions, partsForStages } from './division.ts';
import { type Figures, figuresOf, type StageOptions } from './figures.ts';

/** Memory (bytes) that each of `nodes` must offer so that they hold the model between them. */
export function budgetOfEach(config: ModelConfig, nodes: number, options: StageOptions): number {
  const { unitBytes, overheadBytes } = figuresOf(config, partsForStages(config, nodes), options);
  let [tooLittle, enough] = [Math.max(...unitBytes) - 1, unitBytes.reduce((sum, bytes) => sum + bytes, 0)];
  while (enough - tooLittle > 1) {
    const middle = Math.floor((tooLittle + enough) / 2);
    if (runs(unitBytes, middle) <= nodes) enough = middle;
    else tooLittle = middle;
  }
  return enough + overheadBytes;
}

/** The fewest nodes of `budgetBytes` each that hold the model; undefined where no number does. */
export function fewestNodes(config: ModelConfig, budgetBytes: number, options: StageOptions): number | undefined {
  const fits = ({ unitBytes, overheadBytes }: Figures) => Math.max(...unitBytes) + overheadBytes <= budgetBytes;
  for (const mlpParts of divisions(config, (mlpParts) => fits(figuresOf(config, mlpParts, options)))) {
    const { unitBytes, overheadBytes } = figuresOf(config, mlpParts, options);
    return runs(unitBytes, budgetBytes - overheadBytes);
  }
  return undefined;
}

/** Runs of units that are filled one after the other up to `mostBytes`; no cut has fewer. */
function runs(unitBytes: number[], mostBytes: number): number {
  let [count, left] = [0, 0];
  for (const bytes of unitBytes) {
    if (bytes > left) {
      count++;
      left = mostBytes;
    }
    left -= bytes;
  }
  return count;
}
