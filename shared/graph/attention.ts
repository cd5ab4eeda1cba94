import type { ModelConfig } from '../model/types.ts';
import type { GraphBuilder, Value } from './builder.ts';
import type { Initializer } from './types.ts';

/** GroupQueryAttention rotates by itself only heads of a multiple of 16; others are rotated before. */
const FUSED_ROTARY_MULTIPLE = 16;

/**
 * Names of a stage's inputs and outputs beside `tokens`, `hidden` and `logits`. A run has one step in each *lane*: all
 * rows go through the matrices together, [1, n] of them one step after the other, and each lane through its own caches.
 */
export const PORTS = {
  /** int64 [1, n]: position of each row. */
  positions: 'positions',
  /** int64 [lanes] each: the rows of a lane's step. A lane without one takes the first row and a cache of its own. */
  laneStarts: 'lane_starts',
  laneEnds: 'lane_ends',
  /** int64 [1]: n. */
  rowCount: 'row_count',
  /** int32 [lanes]: position of a lane's last row, which GroupQueryAttention calls `seqlens_k`. */
  lastPosition: 'last_position',
  /** int32 [lanes]: rows in a lane's cache after this step. */
  totalLength: 'total_length',
  /** int64 [m]: the rows whose logits are wanted. */
  logitRows: 'logit_rows',
  pastKey: (layer: number, lane = 0) => `past.${layer}.key${ofLane(lane)}`,
  pastValue: (layer: number, lane = 0) => `past.${layer}.value${ofLane(lane)}`,
  presentKey: (layer: number, lane = 0) => `present.${layer}.key${ofLane(lane)}`,
  presentValue: (layer: number, lane = 0) => `present.${layer}.value${ofLane(lane)}`,
};

function ofLane(lane: number): string {
  return lane === 0 ? '' : `.${lane}`;
}

export function positions(g: GraphBuilder): Value {
  return g.input(PORTS.positions, 'int64', [1, 'rows']);
}

/** qkv [1, n, (heads + 2 · kvHeads) · headDim] → [1, n, heads · headDim], through the layer's KV caches. */
export function attend(g: GraphBuilder, config: ModelConfig, layer: number, qkv: Value): Value {
  const isFused = config.rope && config.headDim % FUSED_ROTARY_MULTIPLE === 0;
  const tables = isFused ? ropeTables(g, config.headDim) : undefined;
  const packed = config.rope && !isFused ? rotated(g, config, qkv) : qkv;
  const { lanes } = g;
  const [last, total] = [PORTS.lastPosition, PORTS.totalLength].map((name) =>
    g.values(g.input(name, 'int32', [lanes]), lanes),
  );
  const attended = laneRows(g, packed).map((rows, lane) => {
    const cacheShape = [1, config.kvHeads, `cache_length${ofLane(lane)}`, config.headDim];
    const cache = {
      pastKey: g.input(PORTS.pastKey(layer, lane), 'float32', cacheShape),
      pastValue: g.input(PORTS.pastValue(layer, lane), 'float32', cacheShape),
      lastPosition: last![lane]!,
      totalLength: total![lane]!,
    };
    const result = g.groupQueryAttention(rows, cache, config, tables);
    g.output(result.presentKey, PORTS.presentKey(layer, lane), cacheShape);
    g.output(result.presentValue, PORTS.presentValue(layer, lane), cacheShape);
    return result.attended;
  });
  return lanes === 1 ? attended[0]! : g.firstRows(g.rowsJoined(attended), g.input(PORTS.rowCount, 'int64', [1]));
}

/** The rows of each lane's step. */
function laneRows(g: GraphBuilder, x: Value): Value[] {
  const { lanes } = g;
  if (lanes === 1) return [x];
  const [starts, ends] = [PORTS.laneStarts, PORTS.laneEnds].map((name) =>
    g.values(g.input(name, 'int64', [lanes]), lanes),
  );
  return Array.from({ length: lanes }, (_, lane) => g.rowsBetween(x, starts![lane]!, ends![lane]!));
}

/** Q and K turned before the attention that can't do it itself; the shape stays. */
function rotated(g: GraphBuilder, config: ModelConfig, qkv: Value): Value {
  const { heads, kvHeads, headDim } = config;
  const [query, key, value] = g.split(qkv, [heads * headDim, kvHeads * headDim, kvHeads * headDim]);
  const { cos, sin } = ropeTables(g, headDim);
  return g.concat(
    g.rotaryEmbedding(query!, positions(g), cos, sin, heads, headDim),
    g.rotaryEmbedding(key!, positions(g), cos, sin, kvHeads, headDim),
    value!,
  );
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
