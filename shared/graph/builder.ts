import type { Attributes, Branch, Constant, DataType, Graph, Node, Port, Shape } from './onnx.ts';
import { initializerBytes } from './onnx.ts';
import type { Initializer, Quant, WeightRecipe, WeightSpec } from './types.ts';

/** A value of the graph, by its name; float32 where nothing else is said. */
export interface Value {
  readonly name: string;
}

/**
 * Records the operations of one stage; each method is one ONNX operator, documented with its shapes. `n` rows is the
 * step's tokens. Sources: the ONNX operator list (opset 21) and onnxruntime's ContribOperators.md.
 */
export class GraphBuilder {
  readonly quant: Quant;
  readonly contextLength: number;
  #nodes: Node[] = [];
  /** Of nodes, those of branches too: a name is never used twice. */
  #count = 0;
  readonly #constants = new Map<string, Constant>();
  readonly #weights = new Map<string, WeightSpec>();
  readonly #inputs = new Map<string, Port>();
  readonly #outputs: Port[] = [];

  constructor({ quant, contextLength }: { quant: Quant; contextLength: number }) {
    this.quant = quant;
    this.contextLength = contextLength;
  }

  get graph(): Graph {
    return {
      nodes: this.#nodes,
      constants: [...this.#constants.values()],
      weights: [...this.#weights.values()],
      inputs: [...this.#inputs.values()],
      outputs: this.#outputs,
    };
  }

  /** An input of the graph; asking for it again gives the same one. */
  input(name: string, dtype: DataType, shape: Shape): Value {
    this.#inputs.set(name, { name, dtype, shape });
    return { name };
  }

  /** Makes `value` an output of the graph under its own name there. */
  output(value: Value, name: string, shape: Shape): void {
    rename(this.#nodes, value.name, name);
    this.#outputs.push({ name, dtype: 'float32', shape });
  }

  /** A float32 initializer in a file of its own; asking for it again gives the same one. */
  weight(name: string, dims: number[], recipe: WeightRecipe): Value {
    return this.weightFile(name, [{ name, dtype: 'float32', dims }], recipe)[0]!;
  }

  /** Initializers that are made together and lie in one file; asking for them again gives the same ones. */
  weightFile(name: string, initializers: Initializer[], recipe: WeightRecipe): Value[] {
    const byteLength = initializers.reduce((sum, initializer) => sum + initializerBytes(initializer), 0);
    this.#weights.set(name, { name, byteLength, initializers, recipe });
    return initializers;
  }

  /** A vector (or several, one after the other) as it is in the model. */
  vector(name: string, size: number, tensors: string[]): Value {
    return this.weight(name, [size], { kind: 'copy', tensors });
  }

  /** a + b, broadcast. */
  add(a: Value, b: Value): Value {
    return this.op('', 'Add', [a, b]);
  }

  /** a · b, element by element. */
  mul(a: Value, b: Value): Value {
    return this.op('', 'Mul', [a, b]);
  }

  /** table [rows, d], indices [1, n] → [1, n, d]. */
  gather(table: Value, indices: Value): Value {
    return this.op('', 'Gather', [table, indices], { axis: { int: 0 } });
  }

  /** x [1, n, d] → [1, 1, d], the last row. */
  lastRow(x: Value): Value {
    const [start, end, axis] = [this.int64([-1]), this.int64([2 ** 31]), this.int64([1])];
    return this.op('', 'Slice', [x, start, end, axis]);
  }

  /** x [1, n, sum of sizes] → [1, n, sizes[i]] each. */
  split(x: Value, sizes: number[]): Value[] {
    return this.ops('', 'Split', [x, this.int64(sizes)], sizes.length, { axis: { int: -1 } });
  }

  /** [1, n, p], [1, n, q] … → [1, n, p + q + …]. */
  concat(...values: Value[]): Value {
    return this.op('', 'Concat', values, { axis: { int: -1 } });
  }

  /** a [1, n, in], b [in, out] → [1, n, out]. */
  matMul(a: Value, b: Value): Value {
    return this.op('', 'MatMul', [a, b]);
  }

  /** a [1, n, in] is quantised on the fly, b int8 [in, out], scales [out], bias [out] → [1, n, out]. */
  dynamicQuantizeMatMul(a: Value, b: Value, scales: Value, bias?: Value): Value {
    return this.op('com.microsoft', 'DynamicQuantizeMatMul', [a, b, scales, undefined, bias]);
  }

  /** a [1, n, in], b 4-bit [out, blocks, blockSize / 2], scales [out · blocks] → [1, n, out]. */
  matMulNBits(a: Value, b: Value, scales: Value, sizes: { inSize: number; outSize: number; blockSize: number }): Value {
    return this.op('com.microsoft', 'MatMulNBits', [a, b, scales], {
      K: { int: sizes.inSize },
      N: { int: sizes.outSize },
      bits: { int: 4 },
      block_size: { int: sizes.blockSize },
    });
  }

  /** RMSNorm (Zhang and Sennrich 2019) of x [1, n, d] with weight [d]. */
  rmsNorm(x: Value, weight: Value, epsilon: number): Value {
    return this.op('', 'SimplifiedLayerNormalization', [x, weight], {
      axis: { int: -1 },
      epsilon: { float: epsilon },
      stash_type: { int: 1 },
    });
  }

  /** RMSNorm of x + skip, and x + skip itself. */
  skipRmsNorm(x: Value, skip: Value, weight: Value, epsilon: number): { normed: Value; sum: Value } {
    return this.#skipNorm('SkipSimplifiedLayerNormalization', [x, skip, weight], epsilon);
  }

  /** LayerNorm (Ba et al. 2016) of x [1, n, d] with weight and bias [d]. */
  layerNorm(x: Value, weight: Value, bias: Value, epsilon: number): Value {
    return this.op('', 'LayerNormalization', [x, weight, bias], { axis: { int: -1 }, epsilon: { float: epsilon } });
  }

  /** LayerNorm of x + skip, and x + skip itself. */
  skipLayerNorm(x: Value, skip: Value, weight: Value, bias: Value, epsilon: number): { normed: Value; sum: Value } {
    return this.#skipNorm('SkipLayerNormalization', [x, skip, weight, bias], epsilon);
  }

  /** x · sigmoid(x). */
  silu(x: Value): Value {
    return this.op('com.microsoft', 'QuickGelu', [x], { alpha: { float: 1 } });
  }

  /** GELU (Hendrycks and Gimpel 2016) by the error function. */
  gelu(x: Value): Value {
    return this.op('com.microsoft', 'Gelu', [x]);
  }

  /** GELU in its tanh approximation. */
  geluTanh(x: Value): Value {
    return this.op('com.microsoft', 'FastGelu', [x]);
  }

  /** RoPE (Su et al. 2021), halves rotated: x [1, n, heads · headDim], positions int64 [1, n], caches [context, headDim/2]. */
  rotaryEmbedding(x: Value, positions: Value, cos: Value, sin: Value, heads: number, headDim: number): Value {
    return this.op('com.microsoft', 'RotaryEmbedding', [x, positions, cos, sin], {
      num_heads: { int: heads },
      rotary_embedding_dim: { int: headDim },
    });
  }

  /**
   * Causal attention with grouped heads over a KV cache of fixed length, which it extends in place where past and
   * present are one buffer. Either `query` holds Q, K and V side by side, or `key` and `value` come separately.
   * Caches are [1, kvHeads, contextLength, headDim]; `lastPosition` int32 [1], `totalLength` int32 [1].
   */
  groupQueryAttention(
    from: { query: Value; key?: Value; value?: Value },
    cache: { pastKey: Value; pastValue: Value; lastPosition: Value; totalLength: Value },
    heads: { heads: number; kvHeads: number },
    rotary?: { cos: Value; sin: Value },
  ): { attended: Value; presentKey: Value; presentValue: Value } {
    const { pastKey, pastValue, lastPosition, totalLength } = cache;
    const [attended, presentKey, presentValue] = this.ops(
      'com.microsoft',
      'GroupQueryAttention',
      [from.query, from.key, from.value, pastKey, pastValue, lastPosition, totalLength, rotary?.cos, rotary?.sin],
      3,
      { num_heads: { int: heads.heads }, kv_num_heads: { int: heads.kvHeads }, do_rotary: { int: rotary ? 1 : 0 } },
    );
    return { attended: attended!, presentKey: presentKey!, presentValue: presentValue! };
  }

  /** `then()` where the condition, a bool scalar, holds, else `otherwise()`; only that one is computed. */
  choose(condition: Value, then: () => Value, otherwise: () => Value, shape: Shape): Value {
    return this.op('', 'If', [condition], {
      then_branch: { branch: this.#branch(then, shape) },
      else_branch: { branch: this.#branch(otherwise, shape) },
    });
  }

  #branch(record: () => Value, shape: Shape): Branch {
    const outer = this.#nodes;
    this.#nodes = [];
    const { name } = record();
    const nodes = this.#nodes;
    this.#nodes = outer;
    return { nodes, output: { name, dtype: 'float32', shape } };
  }

  #skipNorm(op: string, inputs: Value[], epsilon: number): { normed: Value; sum: Value } {
    const name = `${op}.${this.#count}`;
    const [normed, sum] = [{ name }, { name: `${name}.sum` }];
    this.#node('com.microsoft', op, inputs, [normed.name, '', '', sum.name], { epsilon: { float: epsilon } });
    return { normed, sum };
  }

  /** Any operator with one output, for what only one part of the graphs needs. */
  op(domain: Node['domain'], op: string, inputs: (Value | undefined)[], attributes: Attributes = {}): Value {
    return this.ops(domain, op, inputs, 1, attributes)[0]!;
  }

  /** As `op`, with several outputs. */
  ops(
    domain: Node['domain'],
    op: string,
    inputs: (Value | undefined)[],
    outputs: number,
    attributes: Attributes = {},
  ): Value[] {
    const names = Array.from({ length: outputs }, (_, index) => `${op}.${this.#count}.${index}`);
    this.#node(domain, op, inputs, names, attributes);
    return names.map((name) => ({ name }));
  }

  #node(
    domain: Node['domain'],
    op: string,
    inputs: (Value | undefined)[],
    outputs: string[],
    attributes: Attributes,
  ): void {
    const names = inputs.map((input) => input?.name ?? '');
    while (names.at(-1) === '') names.pop();
    this.#count++;
    this.#nodes.push({ domain, op, inputs: names, outputs, attributes });
  }

  /** float32 scalar. */
  scalar(value: number): Value {
    const name = `float32.${value}`;
    this.#constants.set(name, { name, dtype: 'float32', dims: [], values: [value] });
    return { name };
  }

  int64(values: number[]): Value {
    const name = `int64.${values.join('.')}`;
    this.#constants.set(name, { name, dtype: 'int64', dims: [values.length], values });
    return { name };
  }
}

function rename(nodes: Node[], from: string, to: string): void {
  for (const node of nodes) {
    node.inputs = node.inputs.map((input) => (input === from ? to : input));
    node.outputs = node.outputs.map((output) => (output === from ? to : output));
    for (const value of Object.values(node.attributes)) if ('branch' in value) rename(value.branch.nodes, from, to);
  }
}
