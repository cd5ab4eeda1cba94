/** Mixture of experts (Shazeer et al. 2017) as Mixtral has it (Jiang et al. 2024): of each token, a few MLPs of many. */
import type { ModelConfig } from '../model/types.ts';
import type { GraphBuilder, Value } from './builder.ts';
import type { MlpSlice } from './mlp-parts.ts';

/**
 * x [1, n, d] → [1, n, d], the weighted sum of those of `slices` that the router chose for each row. An expert sees only
 * the rows that are routed to it and is not computed at all when there are none: a single token costs `perToken` experts.
 * `router` is the tensor [experts, d]; `compute` is an expert, [m, d] → [m, d].
 */
export function mixture(
  g: GraphBuilder,
  config: ModelConfig,
  { x, router, slices }: { x: Value; router: string; slices: MlpSlice[] },
  compute: (rows: Value, slice: MlpSlice) => Value,
): Value {
  const { hiddenSize } = config;
  const flat = g.op('', 'Reshape', [x, g.int64([-1, hiddenSize])]); // [n, d]
  const shares = route(g, config, flat, router); // [n, experts]
  let sum = g.mul(flat, g.scalar(0));
  for (const slice of slices) {
    const before = sum;
    const share = g.op('', 'Gather', [shares, g.int64([slice.expert])], { axis: { int: 1 } }); // [n, 1]
    const largest = g.op('', 'ReduceMax', [share], { keepdims: { int: 0 } });
    sum = g.choose(
      g.op('', 'Greater', [largest, g.scalar(0)]),
      () => addRouted(g, { sum: before, flat, share }, (rows) => compute(rows, slice)),
      () => g.op('', 'Identity', [before]),
      ['rows', hiddenSize],
    );
  }
  return g.op('', 'Reshape', [sum, g.op('', 'Shape', [x])]);
}

/**
 * flat [n, d] → each expert's share in each row, [n, experts], most of them 0. Softmax over the `perToken` best is what
 * Mixtral's softmax over all, choice and renormalisation come to. In float32 whatever the quantisation: it is small, and
 * an error here takes another expert.
 */
function route(g: GraphBuilder, { hiddenSize, experts }: ModelConfig, flat: Value, router: string): Value {
  const { count, perToken } = experts!;
  const source = { tensors: [router], layout: 'out-in' as const, inSize: hiddenSize, outSizes: [count] };
  const logits = g.matMul(flat, g.weight(router, [hiddenSize, count], { kind: 'matrix', source }));
  const [best, chosen] = g.ops('', 'TopK', [logits, g.int64([perToken])], 2, { axis: { int: -1 } });
  const weights = g.op('', 'Softmax', [best], { axis: { int: -1 } }); // [n, perToken]
  return g.op('', 'ScatterElements', [g.mul(logits, g.scalar(0)), chosen, weights], { axis: { int: 1 } });
}

/** sum [n, d] with an expert's output added, times its share [n, 1], in the rows where it has one. */
function addRouted(
  g: GraphBuilder,
  { sum, flat, share }: { sum: Value; flat: Value; share: Value },
  expert: (rows: Value) => Value,
): Value {
  const column = g.op('', 'Squeeze', [share, g.int64([1])]); // [n]
  const routed = g.op('', 'Squeeze', [g.op('', 'NonZero', [column]), g.int64([0])]); // [m]
  const output = g.mul(expert(g.gather(flat, routed)), g.gather(share, routed)); // [m, d]
  const places = g.op('', 'Unsqueeze', [routed, g.int64([1])]); // [m, 1]
  return g.op('', 'ScatterND', [sum, places, g.add(g.gather(sum, routed), output)]);
}
