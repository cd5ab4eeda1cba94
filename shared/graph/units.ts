import { AiloError } from '../errors/index.ts';
import type { ModelConfig } from '../model/types.ts';
import { maxMlpParts, slicesOf } from './mlp-parts.ts';
import type { MlpParts, StageGraph, Unit, UnitRange } from './types.ts';

/** An MLP half-layer in one piece. */
const WHOLE: MlpParts = { start: 0, end: 1, of: 1 };

/**
 * The placement units of a model, in the order of execution: 2 · layers + 2, and with each MLP half-layer divided into
 * `mlpParts` as many more as that makes. Throws MLP_PARTS_INVALID.
 */
export function units(config: ModelConfig, mlpParts = 1): Unit[] {
  const most = maxMlpParts(config);
  if (!(Number.isInteger(mlpParts) && mlpParts >= 1 && mlpParts <= most)) {
    throw AiloError.of('MLP_PARTS_INVALID', { mlpParts, most });
  }
  const layers = Array.from({ length: config.layers }, (_, layer): Unit[] => [
    { kind: 'attention', layer },
    ...(mlpParts === 1 ? [{ kind: 'mlp' as const, layer }] : partsOfMlp(layer, mlpParts)),
  ]);
  return [{ kind: 'embedding' }, ...layers.flat(), { kind: 'head' }];
}

function partsOfMlp(layer: number, of: number): Unit[] {
  return Array.from({ length: of }, (_, part) => ({ kind: 'mlp', layer, parts: { start: part, end: part + 1, of } }));
}

/** The same part of the model in the list of units that `mlpParts` makes, `range` being one of undivided units. */
export function divided({ start, end }: UnitRange, mlpParts: number): UnitRange {
  if (mlpParts === 1) return { start, end };
  const place = (unit: number) => (unit === 0 ? 0 : 1 + Math.floor((unit - 1) / 2) * (1 + mlpParts) + ((unit - 1) % 2));
  return { start: place(start), end: place(end), mlpParts };
}

/**
 * The units of a range, those that make up one MLP half-layer as one. Throws STAGE_RANGE_INVALID, MLP_PARTS_INVALID.
 */
export function unitRun(config: ModelConfig, { start, end, mlpParts }: UnitRange): Unit[] {
  const all = units(config, mlpParts);
  if (!(Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start < end && end <= all.length)) {
    throw AiloError.of('STAGE_RANGE_INVALID', { start, end, units: all.length });
  }
  const run: Unit[] = [];
  for (const unit of all.slice(start, end)) {
    const last = run.at(-1);
    if (last?.kind === 'mlp' && unit.kind === 'mlp') run[run.length - 1] = joined(last, unit);
    else run.push(unit);
  }
  return run;
}

function joined(a: Unit & { kind: 'mlp' }, b: Unit & { kind: 'mlp' }): Unit {
  const [parts, { end }] = [a.parts ?? WHOLE, b.parts ?? WHOLE];
  const isWhole = parts.start === 0 && end === parts.of;
  return { kind: 'mlp', layer: a.layer, ...(!isWhole && { parts: { ...parts, end } }) };
}

/** What a unit computes of its MLP half-layer. */
export function mlpParts({ parts }: Unit & { kind: 'mlp' }): MlpParts {
  return parts ?? WHOLE;
}

/**
 * What crosses a cut within an MLP half-layer is twice as wide: the residual stream, of which every part takes the norm
 * (and asks the router) for itself, and beside it the sum of what the parts so far contribute.
 */
export function widths({ hiddenSize }: ModelConfig, run: Unit[]): Pick<StageGraph, 'inWidth' | 'outWidth'> {
  const [first, last] = [run[0]!, run.at(-1)!];
  const isCutBefore = first.kind === 'mlp' && mlpParts(first).start > 0;
  const isCutAfter = last.kind === 'mlp' && mlpParts(last).end < mlpParts(last).of;
  return { inWidth: hiddenSize * (isCutBefore ? 2 : 1), outWidth: hiddenSize * (isCutAfter ? 2 : 1) };
}

/**
 * FLOPs per token of a unit's matrices: two for each weight, of experts as many as a router chooses on average. What
 * grows with the text (scores against the KV cache) is left out, since it's the same for all attention units; the
 * embedding looks up a row, so it counts that row.
 */
export function unitCost(config: ModelConfig, unit: Unit): number {
  const { family, hiddenSize, heads, kvHeads, headDim, vocabSize, experts } = config;
  switch (unit.kind) {
    case 'embedding':
      return hiddenSize;
    case 'attention':
      return 2 * hiddenSize * headDim * (2 * heads + 2 * kvHeads);
    case 'mlp': {
      const columns = slicesOf(config, mlpParts(unit)).reduce((sum, { start, end }) => sum + end - start, 0);
      const matrices = family === 'gpt2' ? 2 : 3;
      const router = experts ? 2 * hiddenSize * experts.count : 0;
      return router + 2 * hiddenSize * columns * matrices * (experts ? experts.perToken / experts.count : 1);
    }
    case 'head':
      return 2 * hiddenSize * vocabSize;
  }
}
