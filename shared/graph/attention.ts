import type { ModelConfig } from '../model/types.ts';
import type { GraphBuilder, Value } from './builder.ts';
import type { Initializer } from './types.ts';

/** GroupQueryAttention rotates by itself only heads of a multiple of 16; others are rotated before. */
const FUSED_ROTARY_MULTIPLE = 16;

/** Names of a stage's inputs and outputs beside `tokens`, `hidden` and `logits`. */
export const PORTS = {
  /** int64 [1, n]: position of each row. */
  positions: 'positions',
  /** int32 [1]: position of the last row, which GroupQueryAttention calls `seqlens_k`. */
  lastPosition: 'last_position',
  /** int32 [1]: rows in the cache after this step. */
  totalLength: 'total_length',
  pastKey: (layer: number) => `past.${layer}.key`,
  pastValue: (layer: number) => `past.${layer}.value`,
  presentKey: (layer: number) => `present.${layer}.key`,
  presentValue: (layer: number) => `present.${layer}.value`,
};

export function positions(g: GraphBuilder): Value {
  return g.input(PORTS.positions, 'int64', [1, 'rows']);
}

/** qkv [1, n, (heads + 2 · kvHeads) · headDim] → [1, n, heads · headDim], through the layer's KV cache. */
export function attend(g: GraphBuilder, config: ModelConfig, layer: number, qkv: Value): Value {
  const { kvHeads, headDim } = config;
  const cacheShape = [1, kvHeads, g.contextLength, headDim];
  const cache = {
    pastKey: g.input(PORTS.pastKey(layer), 'float32', cacheShape),
    pastValue: g.input(PORTS.pastValue(layer), 'float32', cacheShape),
    lastPosition: g.input(PORTS.lastPosition, 'int32', [1]),
    totalLength: g.input(PORTS.totalLength, 'int32', [1]),
  };
  const result = !config.rope
    ? g.groupQueryAttention({ query: qkv }, cache, config)
    : headDim % FUSED_ROTARY_MULTIPLE === 0
      ? g.groupQueryAttention({ query: qkv }, cache, config, ropeTables(g, headDim))
      : g.groupQueryAttention(rotated(g, config, qkv), cache, config);
  g.output(result.presentKey, PORTS.presentKey(layer), cacheShape);
  g.output(result.presentValue, PORTS.presentValue(layer), cacheShape);
  return result.attended;
}

function rotated(g: GraphBuilder, config: ModelConfig, qkv: Value): { query: Value; key: Value; value: Value } {
  const { heads, kvHeads, headDim } = config;
  const [query, key, value] = g.split(qkv, [heads * headDim, kvHeads * headDim, kvHeads * headDim]);
  const { cos, sin } = ropeTables(g, headDim);
  return {
    query: g.rotaryEmbedding(query!, positions(g), cos, sin, heads, headDim),
    key: g.rotaryEmbedding(key!, positions(g), cos, sin, kvHeads, headDim),
    value: value!,
  };
}

/** [contextLength, headDim / 2] each, one pair for all layers of a stage. */
function ropeTables(g: GraphBuilder, headDim: number): { cos: Value; sin: Value } {
  const dims = [g.contextLength, headDim / 2];
  const parts: Initializer[] = [
    { name: 'rope.cos', dtype: 'float32', dims },
    { name: 'rope.sin', dtype: 'float32', dims },
  ];
  const [cos, sin] = g.weightFile('rope', parts, { kind: 'rope', positions: g.contextLength });
  return { cos: cos!, sin: sin! };
}
