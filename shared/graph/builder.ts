import type { Attributes, Branch, Constant, DataType, Graph, Node, Port, Shape } from './onnx.ts';
import { initializerBytes } from './onnx.ts';
import type { GraphOptions, Initializer, Quant, WeightRecipe, WeightSpec } from './types.ts';

/** A value of the graph, by its name; float32 where nothing else is said. */
export interface Value {
  readonly name: string;
}

/** uint8 stands for signed values around it: onnxruntime's int8 kernels are fast with uint8 × int8 only. */
const UINT8_ZERO = 128;
/** Of a row of zeros. */
const SMALLEST_SCALE = 1e-30;

/**
 * Records the operations of one stage; each method is one ONNX operator, documented with its shapes. `n` rows is the
 * step's tokens. Sources: the ONNX operator list (opset 21) and onnxruntime's ContribOperators.md.
 */
export class GraphBuilder {
  readonly quant: Quant;
  readonly contextLength: number;
  /** Steps of different sequences that one run may have. */
  readonly lanes: number;
  #nodes: Node[] = [];
  /** Of nodes, those of branches too: a name is never used twice. */
  #count = 0;
  readonly #constants = new Map<string, Constant>();
  readonly #weights = new Map<string, WeightSpec>();
  readonly #inputs = new Map<string, Port>();
  readonly #outputs: Port[] = [];
  /** What values that are outputs are called instead of what they were called while recording. */
  readonly #outputNames = new Map<string, string>();
  /** What is made once, by its description. */
  #made = new Map<string, unknown>();

  constructor({ quant, contextLength, lanes = 1 }: Omit<GraphOptions, 'wire'>) {
    this.quant = quant;
    this.contextLength = contextLength;
    this.lanes = lanes;
  }

  get graph(): Graph {
    return {
      nodes: renamed(this.#nodes, this.#outputNames),
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
    this.#outputNames.set(value.name, name);
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

  /** x [1, n, d], indices [m] → [1, m, d]. */
  rowsAt(x: Value, indices: Value): Value {
    return this.op('', 'Gather', [x, indices], { axis: { int: 1 } });
  }

  /** x [1, n, d], start and end int64 [1] → [1, end − start, d]. */
  rowsBetween(x: Value, start: Value, end: Value): Value {
    return this.op('', 'Slice', [x, start, end, this.int64([1])]);
  }

  /** x [1, n, d], count int64 [1] → [1, count, d]. */
  firstRows(x: Value, count: Value): Value {
    return this.rowsBetween(x, this.int64([0]), count);
  }

  /** x [1, n, d] → [1, 0, d]. */
  noRows(x: Value): Value {
    return this.firstRows(x, this.int64([0]));
  }

  /** x under another name, as a branch needs it that gives what was there before. */
  same(x: Value): Value {
    return this.op('', 'Identity', [x]);
  }

  /** x int64 [1] → bool [1]; asking for it again gives the same one. */
  isPositive(x: Value): Value {
    return this.#once(`positive ${x.name}`, () => this.op('', 'Greater', [x, this.int64([0])]));
  }

  /** Tensors [1, nᵢ, d] → [1, sum of nᵢ, d]. */
  rowsJoined(parts: Value[]): Value {
    return this.op('', 'Concat', parts, { axis: { int: 1 } });
  }

  /** x [count] → its values, [1] each; asking for them again gives the same ones. */
  values(x: Value, count: number): Value[] {
    return this.#once(`values ${x.name}`, () =>
      this.ops('', 'Split', [x, this.int64(Array(count).fill(1))], count, { axis: { int: 0 } }),
    );
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

  /**
   * x […, n, d] → its rows as `values` uint8 […, n, d] around 128, each with a scale of its own, `scales` […, n, 1]:
   * the row's largest magnitude becomes 127. Asking for them again gives the same ones.
   */
  quantiseRows(x: Value): { values: Value; scales: Value } {
    return this.#once(`quantised ${x.name}`, () => {
      const largest = this.op('', 'ReduceMax', [this.op('', 'Abs', [x]), this.int64([-1])]);
      const scales = this.op('', 'Max', [this.mul(largest, this.scalar(1 / 127)), this.scalar(SMALLEST_SCALE)]);
      const scaled = this.op('', 'Div', [x, scales]);
      const values = this.op('', 'QuantizeLinear', [scaled, this.scalar(1), this.#uint8(UINT8_ZERO)]);
      return { values, scales };
    });
  }

  /** a uint8 […, n, in] around 128, b int8 [in, out], scales [out] → […, n, out], to be multiplied by a's scales. */
  matMulInteger(a: Value, b: Value, scales: Value): Value {
    const [one, zero] = [this.scalar(1), this.#uint8(UINT8_ZERO)];
    return this.op('com.microsoft', 'MatMulIntegerToFloat', [a, b, one, scales, zero]);
  }

  /** a [1, n, in], b of 4 or 8 bits [out, blocks, blockSize · bits / 8], scales [out · blocks] → [1, n, out]. */
  matMulNBits(
    a: Value,
    b: Value,
    scales: Value,
    sizes: { inSize: number; outSize: number; bits: 4 | 8; blockSize: number },
  ): Value {
    return this.op('com.microsoft', 'MatMulNBits', [a, b, scales], {
      K: { int: sizes.inSize },
      N: { int: sizes.outSize },
      bits: { int: sizes.bits },
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
   * present are one buffer. qkv [1, n, (heads + 2 · kvHeads) · headDim] holds Q, K and V side by side.
   * Caches are [1, kvHeads, length, headDim]; `lastPosition` int32 [1], `totalLength` int32 [1].
   */
  groupQueryAttention(
    qkv: Value,
    cache: { pastKey: Value; pastValue: Value; lastPosition: Value; totalLength: Value },
    heads: { heads: number; kvHeads: number },
    rotary?: { cos: Value; sin: Value },
  ): { attended: Value; presentKey: Value; presentValue: Value } {
    const { pastKey, pastValue, lastPosition, totalLength } = cache;
    const [attended, presentKey, presentValue] = this.ops(
      'com.microsoft',
      'GroupQueryAttention',
      [qkv, undefined, undefined, pastKey, pastValue, lastPosition, totalLength, rotary?.cos, rotary?.sin],
      3,
      { num_heads: { int: heads.heads }, kv_num_heads: { int: heads.kvHeads }, do_rotary: { int: rotary ? 1 : 0 } },
    );
    return { attended: attended!, presentKey: presentKey!, presentValue: presentValue! };
  }

  /** `then()` where the condition, a single bool, holds, else `otherwise()`; only that one is computed. */
  choose(condition: Value, then: () => Value, otherwise: () => Value, shape: Shape): Value {
    return this.chooseAll(
      condition,
      () => [then()],
      () => [otherwise()],
      [shape],
    )[0]!;
  }

  /** As `choose`, of several values; each is made in its branch. */
  chooseAll(condition: Value, then: () => Value[], otherwise: () => Value[], shapes: Shape[]): Value[] {
    return this.ops('', 'If', [condition], shapes.length, {
      then_branch: { branch: this.#branch(then, shapes) },
      else_branch: { branch: this.#branch(otherwise, shapes) },
    });
  }

  #once<T>(key: string, make: () => T): T {
    const known = this.#made.get(key) as T | undefined;
    if (known) return known;
    const made = make();
    this.#made.set(key, made);
    return made;
  }

  #branch(record: () => Value[], shapes: Shape[]): Branch {
    const [outer, made] = [this.#nodes, this.#made];
    // What is made in a branch is not seen outside.
    [this.#nodes, this.#made] = [[], new Map(made)];
    const outputs = record().map(({ name }, index): Port => ({ name, dtype: 'float32', shape: shapes[index]! }));
    const nodes = this.#nodes;
    [this.#nodes, this.#made] = [outer, made];
    return { nodes, outputs };
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
    return this.#constant('float32', [], [value]);
  }

  int64(values: number[]): Value {
    return this.#constant('int64', [values.length], values);
  }

  #uint8(value: number): Value {
    return this.#constant('uint8', [], [value]);
  }

  #constant(dtype: Constant['dtype'], dims: number[], values: number[]): Value {
    const name = `${dtype}.${values.join('.')}`;
    this.#constants.set(name, { name, dtype, dims, values });
    return { name };
  }
}

function renamed(nodes: Node[], names: ReadonlyMap<string, string>): Node[] {
  const nameOf = (name: string) => names.get(name) ?? name;
  const within = ([key, value]: [string, Attributes[string]]): [string, Attributes[string]] =>
    'branch' in value
      ? [key, { branch: { ...value.branch, nodes: renamed(value.branch.nodes, names) } }]
      : [key, value];
  return nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map(nameOf),
    outputs: node.outputs.map(nameOf),
    attributes: Object.fromEntries(Object.entries(node.attributes).map(within)),
  }));
}
