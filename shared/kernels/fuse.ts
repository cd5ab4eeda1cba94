/** From the operators of a recorded graph to those of the kernels, where several are one. Pure. */
import type { Graph, Node } from '../graph/onnx.ts';

/** Rows of an int8 table, each with a scale of its own: inputs values, scales, indices. */
export const INT8_GATHER = 'Int8Gather';
/** x, quantised row by row, times an int8 matrix: inputs x, matrix, scales of its columns, bias or nothing. */
export const INT8_MATMUL = 'Int8MatMul';

/** Inputs of GroupQueryAttention that say where a step is, which the kernels know without them. */
const [LAST_POSITION, TOTAL_LENGTH] = [5, 6];

/** The same graph with fewer operators; those whose outputs nobody needs any more are gone. */
export function fuse(graph: Graph): Graph {
  const weights = new Set(graph.weights.flatMap(({ initializers }) => initializers.map(({ name }) => name)));
  const made = new Map<string, Node>();
  const fused = graph.nodes.map((node) => {
    const one = fusedNode(node, (name) => made.get(name ?? ''), weights) ?? node;
    for (const output of one.outputs) made.set(output, one);
    return one;
  });
  return { ...graph, nodes: needed(fused, graph) };
}

type Made = (name: string | undefined) => Node | undefined;

function fusedNode(node: Node, made: Made, weights: ReadonlySet<string>): Node | undefined {
  const [first, second] = node.inputs;
  const before = made(first);
  if (node.op === 'GroupQueryAttention') {
    return {
      ...node,
      inputs: node.inputs.map((name, index) => (index === LAST_POSITION || index === TOTAL_LENGTH ? '' : name)),
    };
  }
  if (node.op === 'Mul' && before?.op === 'MatMulIntegerToFloat') return matMul(node, before, made);
  if (node.op === 'Mul' && before?.op === 'Cast') return lookUp(node, made(before.inputs[0]), made(second));
  if (node.op === 'Add' && before?.op === INT8_MATMUL && before.inputs.length === 3 && weights.has(second!)) {
    return { ...before, inputs: [...before.inputs, second!], outputs: node.outputs };
  }
  return undefined;
}

/** `GraphBuilder.quantiseRows`, `matMulInteger` and the product with the rows' scales. */
function matMul(node: Node, product: Node, made: Made): Node | undefined {
  const [values, matrix, , scales] = product.inputs;
  const scaled = made(made(values)?.inputs[0]);
  if (scaled?.op !== 'Div' || scaled.inputs[1] !== node.inputs[1]) return undefined;
  return { ...node, op: INT8_MATMUL, inputs: [scaled.inputs[0]!, matrix!, scales!], attributes: {} };
}

/** `lookUp` of a quantised stage. */
function lookUp(node: Node, values: Node | undefined, scales: Node | undefined): Node | undefined {
  if (values?.op !== 'Gather' || scales?.op !== 'Gather' || values.inputs[1] !== scales.inputs[1]) return undefined;
  const inputs = [values.inputs[0]!, scales.inputs[0]!, values.inputs[1]!];
  return { ...node, op: INT8_GATHER, inputs, attributes: {} };
}

function needed(nodes: readonly Node[], { outputs }: Graph): Node[] {
  const wanted = new Set(outputs.map(({ name }) => name));
  const kept = nodes.toReversed().filter((node) => {
    if (!node.outputs.some((name) => wanted.has(name))) return false;
    for (const name of node.inputs) wanted.add(name);
    return true;
  });
  return kept.reverse();
}
