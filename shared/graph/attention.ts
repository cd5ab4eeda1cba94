import type { ModelConfig } from '../model/types.ts';
import type { GraphBuilder, Value } from './builder.ts';
import type { Shape } from './onnx.ts';
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
  const lanes = lanesOf(g, config, layer);
  const through = ({ rows, cache }: Lane) => g.groupQueryAttention(rows(packed), cache, config, tables);

  const [first, ...others] = lanes as [Lane, ...Lane[]];
  const one = through(first);
  outputCache(g, first, [one.presentKey, one.presentValue]);
  if (others.length === 0) return one.attended;

  const [attended, ...presents] = g.chooseAll(
    hasSecond(g),
    () => {
      const all = others.map(through);
      const rows = g.rowsJoined(all.map((each) => each.attended));
      return [rows, ...all.flatMap(({ presentKey, presentValue }) => [presentKey, presentValue])];
    },
    () => [
      g.noRows(one.attended),
      ...others.flatMap(({ cache }) => [cache.pastKey, cache.pastValue].map((past) => g.same(past))),
    ],
    // A number for the width would be held against what onnxruntime-web infers of an attention in a branch: 0.
    [[1, 'other_rows', 'width'], ...others.flatMap(({ shape }) => [shape, shape])],
  );
  for (const [index, lane] of others.entries()) outputCache(g, lane, presents.slice(2 * index, 2 * index + 2));
  return g.firstRows(g.rowsJoined([one.attended, attended!]), g.input(PORTS.rowCount, 'int64', [1]));
}

interface Lane {
  index: number;
  layer: number;
  /** Of its caches. */
  shape: Shape;
  cache: { pastKey: Value; pastValue: Value; lastPosition: Value; totalLength: Value };
  /** The rows of its step. */
  rows(x: Value): Value;
}

function lanesOf(g: GraphBuilder, { kvHeads, headDim }: ModelConfig, layer: number): Lane[] {
  const { lanes } = g;
  const each = (name: string, dtype: 'int32' | 'int64') => g.values(g.input(name, dtype, [lanes]), lanes);
  const [last, total] = [each(PORTS.lastPosition, 'int32'), each(PORTS.totalLength, 'int32')];
  const starts = lanes === 1 ? [] : each(PORTS.laneStarts, 'int64');
  const ends = lanes === 1 ? [] : each(PORTS.laneEnds, 'int64');
  return Array.from({ length: lanes }, (_, index) => {
    const shape = [1, kvHeads, `cache_length${ofLane(index)}`, headDim];
    return {
      ...{ index, layer, shape },
      cache: {
        pastKey: g.input(PORTS.pastKey(layer, index), 'float32', shape),
        pastValue: g.input(PORTS.pastValue(layer, index), 'float32', shape),
        lastPosition: last[index]!,
        totalLength: total[index]!,
      },
      rows: (x) => (lanes === 1 ? x : g.rowsBetween(x, starts[index]!, ends[index]!)),
    };
  });
}

/** Whether the second lane has a step: they are filled in order, and an idle one begins at row 0. */
function hasSecond(g: GraphBuilder): Value {
  return g.isPositive(g.values(g.input(PORTS.laneStarts, 'int64', [g.lanes]), g.lanes)[1]!);
}

function outputCache(g: GraphBuilder, { index, layer, shape }: Lane, [key, value]: Value[]): void {
  g.output(key!, PORTS.presentKey(layer, index), shape);
  g.output(value!, PORTS.presentValue(layer, index), shape);
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
