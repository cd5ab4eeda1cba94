import { AiloError } from '../errors/index.ts';
import type { ModelConfig } from '../model/types.ts';
import { GraphBuilder, type Value } from './builder.ts';
import { type FamilyGraph, type Stream, settled } from './family.ts';
import { gpt2 } from './gpt2.ts';
import { llama } from './llama.ts';
import { memoryOf } from './memory.ts';
import { slicesOf } from './mlp-parts.ts';
import { encodeOnnx } from './onnx.ts';
import type { GraphOptions, StageGraph, Unit, UnitRange } from './types.ts';
import { mlpParts, unitRun, widths } from './units.ts';

const FAMILY_GRAPHS: Record<ModelConfig['family'], FamilyGraph> = {
  llama,
  qwen2: llama,
  mixtral: llama,
  gpt2,
};

/**
 * A run of placement units as one ONNX graph.
 * Throws STAGE_RANGE_INVALID, MLP_PARTS_INVALID, CONTEXT_LENGTH_INVALID.
 */
export function buildStage(config: ModelConfig, range: UnitRange, options: GraphOptions): StageGraph {
  const { quant, contextLength, wire } = options;
  const run = unitRun(config, range);
  const { graph, lanes } = record(config, run, options);
  return {
    onnx: encodeOnnx(graph),
    recorded: lanes === 1 ? graph : record(config, run, { quant, contextLength }).graph,
    weights: graph.weights,
    range,
    caches: run.flatMap((unit) =>
      unit.kind === 'attention' ? { layer: unit.layer, kvHeads: config.kvHeads, headDim: config.headDim } : [],
    ),
    contextLength,
    lanes,
    memory: memoryOf(config, run, graph.weights, { quant, contextLength, ...(wire && { wire }) }),
    takes: run[0]!.kind === 'embedding' ? 'tokens' : 'hidden',
    gives: run.at(-1)!.kind === 'head' ? 'logits' : 'hidden',
    ...widths(config, run),
    vocabSize: config.vocabSize,
  };
}

/** The operations and weights of a run of units, not yet as bytes. Throws CONTEXT_LENGTH_INVALID. */
export function record(config: ModelConfig, run: Unit[], options: Omit<GraphOptions, 'wire'>): GraphBuilder {
  const { contextLength } = options;
  if (!(Number.isInteger(contextLength) && contextLength >= 1 && contextLength <= config.maxPositions)) {
    throw AiloError.of('CONTEXT_LENGTH_INVALID', { contextLength, maxPositions: config.maxPositions });
  }
  const g = new GraphBuilder(options);
  const family = FAMILY_GRAPHS[config.family];
  const { inWidth, outWidth } = widths(config, run);
  let { stream, sum } = run[0]!.kind === 'embedding' ? {} : entrance(g, config, inWidth);
  for (const unit of run) {
    switch (unit.kind) {
      case 'embedding':
        stream = family.embedding(g, config, g.input('tokens', 'int32', [1, 'rows']));
        break;
      case 'attention':
        stream = family.attention(g, config, unit.layer, stream!);
        break;
      case 'mlp': {
        const { residual, update } = family.mlp(g, config, unit.layer, stream!, slicesOf(config, mlpParts(unit)));
        stream = { residual, update: sum ? g.add(sum, update) : update };
        sum = undefined;
        break;
      }
      case 'head':
        g.output(family.head(g, config, stream!), 'logits', [1, 'logit_rows', config.vocabSize]);
        return g;
    }
  }
  const isCut = outWidth > config.hiddenSize;
  const result = isCut ? g.concat(stream!.residual, stream!.update!) : settled(g, stream!);
  g.output(result, 'hidden_out', [1, 'rows', outWidth]);
  return g;
}

function entrance(g: GraphBuilder, { hiddenSize }: ModelConfig, inWidth: number): { stream: Stream; sum?: Value } {
  const hidden = g.input('hidden', 'float32', [1, 'rows', inWidth]);
  if (inWidth === hiddenSize) return { stream: { residual: hidden } };
  const [residual, sum] = g.split(hidden, [hiddenSize, hiddenSize]);
  return { stream: { residual: residual! }, sum: sum! };
}
