import type { Tensor } from 'onnxruntime-common';
import { PORTS } from '../graph/attention.ts';
import type { StageGraph } from '../graph/types.ts';
import type { Ort, OrtSession } from './ort.ts';
import { logitsOf, rowsOf } from './step.ts';
import type { StageStep } from './types.ts';

/** The inputs of one run that its session declares, without the caches: the rows of all steps, and where each has its own. */
export function stepFeeds(
  { Tensor }: Ort,
  { inputNames }: OrtSession,
  graph: StageGraph,
  steps: readonly StageStep[],
): Record<string, Tensor> {
  const lanes = lanesOf(graph, steps);
  const { rows } = lanes;
  const possible: Record<string, () => Tensor> = {
    tokens: () => new Tensor('int32', tokensOf(steps, rows), [1, rows]),
    hidden: () => new Tensor('float32', hiddenOf(steps, rows * graph.inWidth), [1, rows, graph.inWidth]),
    [PORTS.positions]: () => new Tensor('int64', positionsOf(steps, rows), [1, rows]),
    [PORTS.laneStarts]: () => new Tensor('int64', lanes.starts, [graph.lanes]),
    [PORTS.laneEnds]: () => new Tensor('int64', lanes.ends, [graph.lanes]),
    [PORTS.rowCount]: () => new Tensor('int64', BigInt64Array.of(BigInt(rows)), [1]),
    [PORTS.lastPosition]: () => new Tensor('int32', lanes.lastPositions, [graph.lanes]),
    [PORTS.totalLength]: () => new Tensor('int32', lanes.totalLengths, [graph.lanes]),
    [PORTS.logitRows]: () => new Tensor('int64', lanes.logitRows, [lanes.logitRows.length]),
  };
  const feeds: Record<string, Tensor> = {};
  for (const name of inputNames) {
    const make = possible[name];
    if (make) feeds[name] = make();
  }
  return feeds;
}

function lanesOf(graph: StageGraph, steps: readonly StageStep[]) {
  const starts = new BigInt64Array(graph.lanes);
  // Lanes without a step: one row of a cache of one.
  const ends = new BigInt64Array(graph.lanes).fill(1n);
  const lastPositions = new Int32Array(graph.lanes);
  const totalLengths = new Int32Array(graph.lanes).fill(1);
  const logitRows: bigint[] = [];
  let rows = 0;
  for (const [lane, step] of steps.entries()) {
    const count = rowsOf(step.input);
    starts[lane] = BigInt(rows);
    rows += count;
    ends[lane] = BigInt(rows);
    totalLengths[lane] = step.position + count;
    lastPositions[lane] = step.position + count - 1;
    for (let row = rows - logitsOf(step); row < rows; row++) logitRows.push(BigInt(row));
  }
  // No engine likes tensors without rows; what comes of this one is nobody's.
  if (logitRows.length === 0) logitRows.push(0n);
  return { rows, starts, ends, lastPositions, totalLengths, logitRows: BigInt64Array.from(logitRows) };
}

function tokensOf(steps: readonly StageStep[], rows: number): Int32Array {
  const [first] = steps;
  if (steps.length === 1 && first!.input.kind === 'tokens') return first!.input.ids;
  const ids = new Int32Array(rows);
  let offset = 0;
  for (const { input } of steps) {
    if (input.kind !== 'tokens') continue;
    ids.set(input.ids, offset);
    offset += input.ids.length;
  }
  return ids;
}

function hiddenOf(steps: readonly StageStep[], size: number): Float32Array {
  const [first] = steps;
  if (steps.length === 1 && first!.input.kind === 'hidden') return first!.input.data;
  const data = new Float32Array(size);
  let offset = 0;
  for (const { input } of steps) {
    if (input.kind !== 'hidden') continue;
    data.set(input.data, offset);
    offset += input.data.length;
  }
  return data;
}

function positionsOf(steps: readonly StageStep[], rows: number): BigInt64Array {
  const positions = new BigInt64Array(rows);
  let index = 0;
  for (const { position, input } of steps) {
    for (let row = 0; row < rowsOf(input); row++) positions[index++] = BigInt(position + row);
  }
  return positions;
}
