import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import {
  type AttributeProtoSchema,
  ModelProtoSchema,
  type NodeProtoSchema,
  type TensorProtoSchema,
  type ValueInfoProtoSchema,
} from './onnx_pb.ts';
import type { Initializer, WeightSpec } from './types.ts';

/** ONNX's `TensorProto.DataType`. */
export const DATA_TYPES = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7 } as const;
export type DataType = keyof typeof DATA_TYPES;

/** A number is a fixed dimension, a string a named one that each run may choose. */
export type Shape = (number | string)[];

export interface Port {
  name: string;
  dtype: DataType;
  shape: Shape;
}

/** `int` attributes are marked, since 1 may be meant as either. */
export type Attributes = Record<
  string,
  { int: number } | { float: number } | { ints: number[] } | { text: string } | { branch: Branch }
>;

/** A graph within a node. It has no inputs: it sees every value of the graph around it. */
export interface Branch {
  nodes: Node[];
  outputs: Port[];
}

export interface Node {
  domain: '' | 'com.microsoft';
  op: string;
  /** '' is an optional input or output that is left out. */
  inputs: string[];
  outputs: string[];
  attributes: Attributes;
}

/** A small value that lies in the graph itself. */
export interface Constant {
  name: string;
  dtype: 'float32' | 'uint8' | 'int32' | 'int64';
  dims: number[];
  values: ArrayLike<number>;
}

export interface Graph {
  nodes: Node[];
  constants: Constant[];
  weights: WeightSpec[];
  inputs: Port[];
  outputs: Port[];
}

const ITEM_BYTES = { float32: 4, uint8: 1, int8: 1 };
const CONSTANT_BYTES = { float32: 4, uint8: 1, int32: 4, int64: 8 };

export function initializerBytes({ dtype, dims }: Initializer): number {
  return dims.reduce((product, size) => product * size, ITEM_BYTES[dtype]);
}

const IR_VERSION = 10n;
/** Opset 21 has all that is used of the standard; RotaryEmbedding and the attention come from com.microsoft. */
const OPSETS = [
  { domain: '', version: 21n },
  { domain: 'com.microsoft', version: 1n },
];
const EXTERNAL = 1;
const ATTRIBUTE = { float: 1, int: 2, string: 3, graph: 5, ints: 7 };

/** The graph as an ONNX protobuf (onnx.proto3 of ONNX 1.17), the weights as external data. */
export function encodeOnnx(graph: Graph): Uint8Array {
  const model = create(ModelProtoSchema, {
    irVersion: IR_VERSION,
    producerName: 'ailo',
    opsetImport: OPSETS,
    graph: {
      name: 'stage',
      node: graph.nodes.map(encodeNode),
      initializer: [...graph.constants.map(inline), ...graph.weights.flatMap(external)],
      input: graph.inputs.map(port),
      output: graph.outputs.map(port),
    },
  });
  return toBinary(ModelProtoSchema, model);
}

function encodeNode(node: Node, index: number): MessageInitShape<typeof NodeProtoSchema> {
  return {
    name: `${index}.${node.op}`,
    domain: node.domain,
    opType: node.op,
    input: node.inputs,
    output: node.outputs,
    attribute: Object.entries(node.attributes).map(([name, value]) => attribute(name, value)),
  };
}

function attribute(name: string, value: Attributes[string]): MessageInitShape<typeof AttributeProtoSchema> {
  if ('branch' in value) {
    const { nodes, outputs } = value.branch;
    return { name, type: ATTRIBUTE.graph, g: { name, node: nodes.map(encodeNode), output: outputs.map(port) } };
  }
  if ('int' in value) return { name, type: ATTRIBUTE.int, i: BigInt(value.int) };
  if ('float' in value) return { name, type: ATTRIBUTE.float, f: value.float };
  if ('text' in value) return { name, type: ATTRIBUTE.string, s: new TextEncoder().encode(value.text) };
  return { name, type: ATTRIBUTE.ints, ints: value.ints.map(BigInt) };
}

function port({ name, dtype, shape }: Port): MessageInitShape<typeof ValueInfoProtoSchema> {
  const dim = shape.map((size) =>
    typeof size === 'number'
      ? { value: { case: 'dimValue' as const, value: BigInt(size) } }
      : { value: { case: 'dimParam' as const, value: size } },
  );
  return { name, type: { tensorType: { elemType: DATA_TYPES[dtype], shape: { dim } } } };
}

function inline({ name, dtype, dims, values }: Constant): MessageInitShape<typeof TensorProtoSchema> {
  const rawData = new Uint8Array(values.length * CONSTANT_BYTES[dtype]);
  const view = new DataView(rawData.buffer);
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!;
    if (dtype === 'int64') view.setBigInt64(8 * index, BigInt(value), true);
    else if (dtype === 'int32') view.setInt32(4 * index, value, true);
    else if (dtype === 'uint8') view.setUint8(index, value);
    else view.setFloat32(4 * index, value, true);
  }
  return { name, dims: dims.map(BigInt), dataType: DATA_TYPES[dtype], rawData };
}

function external({ name: location, initializers }: WeightSpec): MessageInitShape<typeof TensorProtoSchema>[] {
  let offset = 0;
  return initializers.map((initializer) => {
    const length = initializerBytes(initializer);
    const place = { location, offset: String(offset), length: String(length) };
    offset += length;
    return {
      name: initializer.name,
      dims: initializer.dims.map(BigInt),
      dataType: DATA_TYPES[initializer.dtype],
      dataLocation: EXTERNAL,
      externalData: Object.entries(place).map(([key, value]) => ({ key, value })),
    };
  });
}
