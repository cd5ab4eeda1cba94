/** Our graph in the shape that Transformers.js wants: the same operators and weights, a cache that grows. */
import { PORTS } from '../../../shared/graph/attention.ts';
import { encodeOnnx, type Graph, type Node, type Port } from '../../../shared/graph/onnx.ts';
import { record } from '../../../shared/graph/stage.ts';
import type { WeightSpec } from '../../../shared/graph/types.ts';
import { units } from '../../../shared/graph/units.ts';
import type { ModelConfig } from '../../../shared/model/types.ts';

const MASK = 'attention_mask';
const BATCH = 'batch_size';

/**
 * The whole model in int8: GroupQueryAttention, fused norms, logits of the last position only, which Transformers.js
 * accepts from exporters that know `num_logits_to_keep`. `contextLength` bounds the RoPE tables.
 */
export function peerGraph(config: ModelConfig, contextLength: number): { onnx: Uint8Array; weights: WeightSpec[] } {
  const { graph } = record(config, units(config), { quant: 'int8', contextLength, lanes: 1 });
  const rename = new Map([
    ['tokens', 'input_ids'],
    [PORTS.positions, 'position_ids'],
  ]);
  for (let layer = 0; layer < config.layers; layer++) {
    rename.set(PORTS.pastKey(layer), `past_key_values.${layer}.key`);
    rename.set(PORTS.pastValue(layer), `past_key_values.${layer}.value`);
  }
  const renamed = (name: string) => rename.get(name) ?? name;
  const nodes = graph.nodes.map((node) => ({ ...node, inputs: node.inputs.map(renamed) }));
  const peer: Graph = {
    nodes: [...lengthNodes(), ...nodes],
    constants: [...graph.constants, ...lengthConstants],
    weights: graph.weights,
    inputs: [
      ...graph.inputs.filter(({ name }) => !isLength(name)).map((port) => input({ ...port, name: renamed(port.name) })),
      { name: MASK, dtype: 'int64', shape: [BATCH, 'total_sequence_length'] },
    ],
    outputs: graph.outputs.map((port) => (port.name.startsWith('present') ? grown(port, 'total') : port)),
  };
  return { onnx: encodeOnnx(peer), weights: graph.weights };
}

function isLength(name: string): boolean {
  return name === PORTS.lastPosition || name === PORTS.totalLength || name === PORTS.logitRows;
}

function input(port: Port): Port {
  if (port.name.startsWith('past_key_values')) return grown(port, 'past');
  return { ...port, dtype: 'int64', shape: [BATCH, 'sequence_length'] };
}

/** Transformers.js makes the empty cache of these names: all but the batch are 0. */
function grown(port: Port, length: string): Port {
  const [, kvHeads, , headDim] = port.shape;
  return { ...port, shape: [BATCH, kvHeads!, `${length}_sequence_length`, headDim!] };
}

const lengthConstants: Graph['constants'] = [
  { name: 'one', dtype: 'int64', dims: [1], values: [1] },
  { name: 'second', dtype: 'int64', dims: [1], values: [1] },
];

/** GroupQueryAttention's lengths from the mask, as exporters make them, and the last row. */
function lengthNodes(): Node[] {
  const INT32 = { to: { int: 6 } };
  return [
    node('ReduceSum', [MASK, 'second'], 'visible', { keepdims: { int: 0 } }),
    node('Sub', ['visible', 'one'], 'last'),
    node('Cast', ['last'], PORTS.lastPosition, INT32),
    node('Shape', [MASK], 'mask_shape'),
    node('Gather', ['mask_shape', 'second'], 'total'),
    node('Cast', ['total'], PORTS.totalLength, INT32),
    node('Shape', ['input_ids'], 'ids_shape'),
    node('Gather', ['ids_shape', 'second'], 'row_count'),
    node('Sub', ['row_count', 'one'], PORTS.logitRows),
  ];
}

function node(op: string, inputs: string[], output: string, attributes: Node['attributes'] = {}): Node {
  return { domain: '', op, inputs, outputs: [output], attributes };
}
