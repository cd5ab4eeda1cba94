/** From the recorded graph of an int8 stage to a program of the kernels. */
import { PORTS } from '../graph/attention.ts';
import type { Graph, Node } from '../graph/onnx.ts';
import { Compilation, Unsupported } from './compilation.ts';
import { fuse, INT8_GATHER, INT8_MATMUL } from './fuse.ts';
import { ELEMENTWISE, LANES, ROW_COUNTS } from './layout.ts';
import { floatWord, type Program } from './program.ts';

type Compile = (c: Compilation, node: Node) => void;

/** Operators of the graphs that `shared/graph` builds for int8. */
const OPERATORS: Readonly<Record<string, Compile>> = {
  Gather: gather,
  [INT8_GATHER]: gatherInt8,
  Split: split,
  Concat: concat,
  Add: (c, node) => elementwise(c, node, ELEMENTWISE.add),
  Mul: (c, node) => elementwise(c, node, ELEMENTWISE.multiply),
  QuickGelu: (c, node) => elementwise(c, node, ELEMENTWISE.silu),
  Gelu: (c, node) => elementwise(c, node, ELEMENTWISE.gelu),
  FastGelu: (c, node) => elementwise(c, node, ELEMENTWISE.geluTanh),
  LayerNormalization: (c, node) => norm(c, node, { rms: false, skip: false }),
  SkipLayerNormalization: (c, node) => norm(c, node, { rms: false, skip: true }),
  SimplifiedLayerNormalization: (c, node) => norm(c, node, { rms: true, skip: false }),
  SkipSimplifiedLayerNormalization: (c, node) => norm(c, node, { rms: true, skip: true }),
  [INT8_MATMUL]: product,
  RotaryEmbedding: rotary,
  GroupQueryAttention: attention,
};

/** The program of a stage, or undefined where the graph has something that the kernels do not know. */
export function compileStage(recorded: Graph, contextLength: number): Program | undefined {
  try {
    const graph = fuse(recorded);
    const c = new Compilation(graph, contextLength);
    for (const node of graph.nodes) {
      const compile = OPERATORS[node.op];
      if (!compile) throw new Unsupported();
      compile(c, node);
      c.endNode();
    }
    return c.program();
  } catch (error) {
    if (error instanceof Unsupported) return undefined;
    throw error;
  }
}

function gather(c: Compilation, { inputs, outputs }: Node): void {
  const [table, indices] = inputs as [string, string];
  if (indices === PORTS.logitRows) {
    const from = c.value(table);
    const to = c.define(outputs[0]!, from.width, ROW_COUNTS.logits);
    c.writer.emit('lastRows', ROW_COUNTS.logits, from.at, to.at, 4 * from.width);
    return;
  }
  const [, width] = c.initializer(table).dims;
  const to = c.define(outputs[0]!, width!, 0);
  c.writer.emit(
    'gather',
    0,
    c.weight(table),
    c.input(indices === PORTS.positions ? 'positions' : 'tokens'),
    to.at,
    4 * width!,
  );
}

function gatherInt8(c: Compilation, { inputs, outputs }: Node): void {
  const [table, scales] = inputs as [string, string];
  const [, width] = c.initializer(table).dims as [number, number];
  c.require(width % LANES === 0);
  const to = c.define(outputs[0]!, width, ROW_COUNTS.step);
  c.writer.emit('gatherInt8', ROW_COUNTS.step, c.table(table), c.weight(scales), c.input('tokens'), to.at, width);
}

/** Of columns. */
function concat(c: Compilation, { inputs, outputs, attributes }: Node): void {
  c.require(c.number(attributes, 'axis') === -1);
  const parts = inputs.map((name) => c.value(name));
  const { rows } = parts[0]!;
  c.require(parts.every((part) => part.rows === rows));
  const width = parts.reduce((sum, part) => sum + part.width, 0);
  const to = c.define(outputs[0]!, width, rows);
  let column = 0;
  for (const from of parts) {
    c.writer.emit('columns', rows, from.at, 4 * from.width, to.at + 4 * column, 4 * width, 4 * from.width);
    column += from.width;
  }
}

function split(c: Compilation, { inputs, outputs }: Node): void {
  const from = c.value(inputs[0]!);
  const sizes = Array.from(c.constant(inputs[1]!));
  let column = 0;
  for (const [index, size] of sizes.entries()) {
    const to = c.define(outputs[index]!, size, from.rows);
    c.writer.emit('columns', from.rows, from.at + 4 * column, 4 * from.width, to.at, 4 * size, 4 * size);
    column += size;
  }
}

function elementwise(c: Compilation, { inputs, outputs }: Node, which: number): void {
  const a = c.value(inputs[0]!);
  const b = inputs[1] === undefined ? undefined : c.value(inputs[1]);
  c.require(a.width % LANES === 0 && (!b || (b.width === a.width && b.rows === a.rows)));
  const to = c.define(outputs[0]!, a.width, a.rows);
  c.writer.emit('elementwise', a.rows, a.at, b?.at ?? 0, to.at, a.width, which);
}

function norm(c: Compilation, { inputs, outputs, attributes }: Node, kind: { rms: boolean; skip: boolean }): void {
  const x = c.value(inputs[0]!);
  const skip = kind.skip ? c.value(inputs[1]!) : undefined;
  const [weight, bias] = inputs.slice(kind.skip ? 2 : 1);
  c.require(x.width % LANES === 0 && (kind.rms || bias !== undefined));
  const sum = skip && c.define(outputs[3]!, x.width, x.rows);
  const to = c.define(outputs[0]!, x.width, x.rows);
  const epsilon = floatWord(c.number(attributes, 'epsilon'));
  const vectors = [c.weight(weight!), kind.rms ? 0 : c.weight(bias!)];
  const places = [x.at, skip?.at ?? 0, sum?.at ?? 0, to.at];
  c.writer.emit('norm', x.rows, ...places, ...vectors, x.width, epsilon, Number(kind.rms));
}

function product(c: Compilation, { inputs, outputs }: Node): void {
  const [x, matrix, scales, bias] = inputs as [string, string, string, string | undefined];
  const [inSize, outSize] = c.initializer(matrix).dims as [number, number];
  const { rows } = c.value(x);
  const quantised = c.quantised(x);
  const columns = [c.panels(matrix), c.weight(scales), bias ? c.weight(bias) : c.zeros(outSize)];
  const to = c.define(outputs[0]!, outSize, rows);
  c.writer.emit('matmul', rows, ...quantised, ...columns, to.at, inSize, outSize, c.panelsPerTask(inSize));
}

/** Turns a copy: the operator's input may have other readers. */
function rotary(c: Compilation, { inputs, outputs, attributes }: Node): void {
  const [x, , cos, sin] = inputs as [string, string, string, string];
  const from = c.value(x);
  const to = c.define(outputs[0]!, from.width, from.rows);
  const [heads, headDim] = [c.number(attributes, 'num_heads'), c.number(attributes, 'rotary_embedding_dim')];
  c.writer.emit('columns', from.rows, from.at, 4 * from.width, to.at, 4 * from.width, 4 * from.width);
  c.writer.emit('rotate', from.rows, to.at, 4 * to.width, heads, headDim, c.weight(cos), c.weight(sin));
}

/** Q, K and V side by side in the first input, or in three. */
function attention(c: Compilation, { inputs, outputs, attributes }: Node): void {
  const [query, key, value, pastKey, pastValue, , , cos, sin] = inputs as string[];
  const [heads, kvHeads] = [c.number(attributes, 'num_heads'), c.number(attributes, 'kv_num_heads')];
  const first = c.value(query!);
  const headDim = key ? first.width / heads : first.width / (heads + 2 * kvHeads);
  c.require(headDim % LANES === 0 && first.rows === 0);
  const [keyColumn, valueColumn] = [heads * headDim, (heads + kvHeads) * headDim];
  const q = { at: first.at, row: 4 * first.width };
  const k = key ? { at: c.value(key).at, row: 4 * c.value(key).width } : { ...q, at: q.at + 4 * keyColumn };
  const v = value ? { at: c.value(value).at, row: 4 * c.value(value).width } : { ...q, at: q.at + 4 * valueColumn };
  if (c.number(attributes, 'do_rotary') === 1) {
    // Queries and keys lie side by side and are turned in place: nobody else reads them.
    c.require(!key && c.readers(query!) === 1);
    c.writer.emit('rotate', 0, q.at, q.row, heads + kvHeads, headDim, c.weight(cos!), c.weight(sin!));
  }
  const caches = [c.cache(pastKey!), c.cache(pastValue!)] as const;
  for (const [index, part] of [k, v].entries()) {
    c.writer.emit('append', 0, part.at, part.row, kvHeads, headDim, c.contextLength, caches[index]!);
  }
  const to = c.define(outputs[0]!, heads * headDim, 0);
  const shape = [heads, kvHeads, headDim, c.contextLength];
  c.writer.emit('attend', 0, q.at, q.row, to.at, ...shape, ...caches, floatWord(1 / Math.sqrt(headDim)));
}
