import { type Attributes, type Constant, encodeOnnx, type Node } from '../../graph/onnx.ts';
import { neededNodes } from './prune.ts';

/** A value of a training graph; its shape is known when the graph is built. `bool` lives only inside a graph. */
export interface Tensor {
  readonly name: string;
  readonly dtype: 'float32' | 'int32' | 'int64' | 'bool';
  readonly shape: readonly number[];
  /** Of constants. */
  readonly values?: ArrayLike<number>;
}

export interface TapeNode {
  readonly domain: Node['domain'];
  readonly op: string;
  readonly inputs: readonly (Tensor | undefined)[];
  readonly outputs: readonly Tensor[];
  readonly attributes: Attributes;
}

/** What `Tape.record` needs to know of an operator's result. */
export interface Result {
  shape: readonly number[];
  dtype?: Tensor['dtype'];
}

/**
 * Records the operators of a training graph in the order of execution, with the shape of every value, so that
 * `differentiate` can walk back over them. The inference builder (shared/graph) has dynamic rows and fused operators
 * with caches instead, which have no gradient.
 */
export class Tape {
  readonly nodes: TapeNode[] = [];
  readonly #inputs: Tensor[] = [];
  readonly #constants = new Map<string, Constant & Tensor>();
  readonly #outputs: Tensor[] = [];
  #names = 0;

  input(name: string, shape: readonly number[], dtype: 'float32' | 'int32' = 'float32'): Tensor {
    const tensor = { name, dtype, shape };
    this.#inputs.push(tensor);
    return tensor;
  }

  /** Makes `tensor` an output of the graph, under its own name there. */
  output(tensor: Tensor, name: string): void {
    const { dtype, shape } = tensor;
    this.nodes.push({
      domain: '',
      op: 'Identity',
      inputs: [tensor],
      outputs: [{ name, dtype, shape }],
      attributes: {},
    });
    this.#outputs.push({ name, dtype, shape });
  }

  constant(
    values: ArrayLike<number>,
    shape: readonly number[],
    dtype: 'float32' | 'int32' | 'int64' = 'float32',
  ): Tensor {
    const key = values.length > 8 ? `constant.${this.#names++}` : `${dtype}.${shape.join('x')}.${Array.from(values)}`;
    const known = this.#constants.get(key);
    if (known) return known;
    const constant = { name: key, dtype, dims: [...shape], shape, values };
    this.#constants.set(key, constant);
    return constant;
  }

  scalar(value: number): Tensor {
    return this.constant([value], []);
  }

  /** An int64 vector, as shapes and axes are given to operators. */
  ints(values: readonly number[]): Tensor {
    return this.constant(values, [values.length], 'int64');
  }

  /** Records an operator with one result. */
  op(op: string, inputs: (Tensor | undefined)[], result: Result, attributes: Attributes = {}, domain = ''): Tensor {
    return this.record(op, inputs, [result], attributes, domain)[0]!;
  }

  record(
    op: string,
    inputs: (Tensor | undefined)[],
    results: Result[],
    attributes: Attributes = {},
    domain = '',
  ): Tensor[] {
    const outputs = results.map(({ shape, dtype = 'float32' }) => ({ name: `${op}.${this.#names++}`, dtype, shape }));
    this.nodes.push({ domain: domain as Node['domain'], op, inputs, outputs, attributes });
    return outputs;
  }

  /** What the outputs need, as an ONNX protobuf; weights are inputs, so there is no external data. */
  encode(): Uint8Array {
    const nameOf = (tensor: Tensor | undefined) => tensor?.name ?? '';
    const outputs = this.#outputs.map(({ name }) => name);
    return encodeOnnx({
      nodes: neededNodes(this.nodes, outputs).map(({ domain, op, inputs, outputs, attributes }) => {
        return { domain, op, inputs: inputs.map(nameOf), outputs: outputs.map(nameOf), attributes };
      }),
      constants: [...this.#constants.values()],
      weights: [],
      inputs: this.#inputs.map(port),
      outputs: this.#outputs.map(port),
    });
  }
}

function port({ name, dtype, shape }: Tensor) {
  if (dtype === 'bool') throw new RangeError('a graph neither takes nor gives bool');
  return { name, dtype, shape: [...shape] };
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
