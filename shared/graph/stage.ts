import { AiloError } from '../errors/index.ts';
import type { ModelConfig } from '../model/types.ts';
import { GraphBuilder, type Value } from './builder.ts';
import { type FamilyGraph, type Stream, settled } from './family.ts';
import { gpt2 } from './gpt2.ts';
import { llama } from './llama.ts';
import { memoryOf } from './memory.ts';
import { encodeOnnx } from './onnx.ts';
import type { Quant, StageGraph, UnitRange } from './types.ts';
import { units } from './units.ts';

const FAMILY_GRAPHS: Record<ModelConfig['family'], FamilyGraph> = { llama, qwen2: llama, gpt2 };

/**
 * A run of placement units as one ONNX graph. `contextLength` (tokens) is what its KV caches hold.
 * Throws STAGE_RANGE_INVALID, CONTEXT_LENGTH_INVALID.
 */
export function buildStage(
  config: ModelConfig,
  range: UnitRange,
  { quant, contextLength }: { quant: Quant; contextLength: number },
): StageGraph {
  const { graph } = record(config, range, quant, contextLength);
  const run = units(config).slice(range.start, range.end);
  return {
    onnx: encodeOnnx(graph),
    recorded: graph,
    weights: graph.weights,
    range,
    caches: run.flatMap((unit) =>
      unit.kind === 'attention' ? { layer: unit.layer, kvHeads: config.kvHeads, headDim: config.headDim } : [],
    ),
    contextLength,
    memory: memoryOf(config, run, graph.weights, { quant, contextLength }),
    takes: run[0]!.kind === 'embedding' ? 'tokens' : 'hidden',
    gives: run.at(-1)!.kind === 'head' ? 'logits' : 'hidden',
    hiddenSize: config.hiddenSize,
    vocabSize: config.vocabSize,
  };
}

/** The operations and weights of a run of units, not yet as bytes. Throws as `buildStage`. */
export function record(config: ModelConfig, range: UnitRange, quant: Quant, contextLength: number): GraphBuilder {
  const all = units(config);
  const { start, end } = range;
  if (!(Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start < end && end <= all.length)) {
    throw AiloError.of('STAGE_RANGE_INVALID', { start, end, units: all.length });
  }
  if (!(Number.isInteger(contextLength) && contextLength >= 1 && contextLength <= config.maxPositions)) {
    throw AiloError.of('CONTEXT_LENGTH_INVALID', { contextLength, maxPositions: config.maxPositions });
  }
  const g = new GraphBuilder({ quant, contextLength });
  const family = FAMILY_GRAPHS[config.family];
  const rows = [1, 'rows', config.hiddenSize];
  let stream: Stream | undefined;
  let logits: Value | undefined;
  for (const unit of all.slice(start, end)) {
    if (unit.kind === 'embedding') {
      stream = family.embedding(g, config, g.input('tokens', 'int32', [1, 'rows']));
      continue;
    }
    stream ??= { residual: g.input('hidden', 'float32', rows) };
    if (unit.kind === 'head') logits = family.head(g, config, stream);
    else stream = family[unit.kind](g, config, unit.layer, stream);
  }
  if (logits) g.output(logits, 'logits', [1, 1, config.vocabSize]);
  else g.output(settled(g, stream!), 'hidden_out', rows);
  return g;
}
