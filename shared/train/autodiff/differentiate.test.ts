import { afterAll, describe, expect, test } from 'vitest';
import { createNodeEngine } from '../../../server/runtime/node-engine.ts';
import type { Values } from '../../runtime/tensor-engine.ts';
import { seededRandom } from '../../sampler/random.ts';
import {
  add,
  div,
  erf,
  exp,
  gelu,
  geluTanh,
  log,
  mul,
  neg,
  pow,
  sigmoid,
  silu,
  sqrt,
  sub,
  tanh,
} from '../tape/elementwise.ts';
import { gather, gatherElements, scatterRowsAdd } from '../tape/indexing.ts';
import { gemm, matMul } from '../tape/matrix.ts';
import { layerNorm, logSoftmax, rmsNorm, softmax } from '../tape/normalise.ts';
import { reduceMean, reduceSum } from '../tape/reduce.ts';
import { rotaryEmbedding } from '../tape/rotary.ts';
import { concat, expand, pad, reshape, slice, split, transpose, zeros } from '../tape/shape.ts';
import { sizeOf, Tape, type Tensor } from '../tape/tape.ts';
import { differentiate } from './differentiate.ts';
import { RULES } from './rules.ts';

const engine = createNodeEngine({ threads: 1 });
afterAll(() => engine.close());

/** Half the distance of the two points of a central difference; exact in binary. */
const STEP = 2 ** -7;

interface Case {
  name: string;
  /** Shapes of the inputs that gradients are checked for. */
  shapes: number[][];
  build: (g: Tape, inputs: Tensor[]) => Tensor;
  /** Lets the inputs be positive, from 0.5 to 1.5. */
  positive?: boolean;
}

const indices = (g: Tape, values: number[], shape: number[]) => g.constant(values, shape, 'int32');
const table = (g: Tape, part: 'cos' | 'sin') =>
  g.constant(
    Array.from({ length: 6 }, (_, i) => Math[part](0.7 * i + 0.2)),
    [3, 2],
  );

const UNARY = { neg, exp, tanh, sigmoid, erf, silu, gelu, geluTanh };
const UNARY_POSITIVE = { log, sqrt };
const BINARY = { add, sub, mul, div, pow };
const CASES: Case[] = [
  ...Object.entries(UNARY).map(([name, op]): Case => ({ name, shapes: [[2, 3]], build: (g, [x]) => op(g, x!) })),
  ...Object.entries(UNARY_POSITIVE).map(
    ([name, op]): Case => ({ name, shapes: [[2, 3]], build: (g, [x]) => op(g, x!), positive: true }),
  ),
  ...Object.entries(BINARY).flatMap(([name, op]): Case[] =>
    [
      [
        [2, 3],
        [2, 3],
      ],
      [[2, 3], [3]],
      [
        [2, 1, 3],
        [2, 1],
      ],
      [[], [2, 2]],
    ].map((shapes) => ({
      name: `${name} of [${shapes[0]}] and [${shapes[1]}]`,
      shapes,
      build: (g, [a, b]) => op(g, a!, b!),
      positive: true,
    })),
  ),
  ...[false, true].flatMap((transA) =>
    [false, true].flatMap((transB): Case[] => {
      const options = { transA, transB, alpha: 0.5 };
      const [a, b] = [transA ? [4, 2] : [2, 4], transB ? [3, 4] : [4, 3]];
      const flags = `${transA ? 'Aᵀ' : 'A'}·${transB ? 'Bᵀ' : 'B'}`;
      return [
        { name: `gemm ${flags} + c`, shapes: [a, b, [3]], build: (g, [x, y, c]) => gemm(g, x!, y!, c, options) },
        {
          name: `matMul ${flags}, batched and broadcast`,
          shapes: [
            [2, 2, ...a],
            [2, 1, ...b],
          ],
          build: (g, [x, y]) => matMul(g, x!, y!, options),
        },
      ];
    }),
  ),
  {
    name: 'matMul as it is',
    shapes: [
      [2, 3, 4],
      [4, 2],
    ],
    build: (g, [a, b]) => matMul(g, a!, b!),
  },
  { name: 'softmax', shapes: [[2, 2, 4]], build: (g, [x]) => softmax(g, x!) },
  {
    name: 'softmax under a causal mask',
    shapes: [[2, 3, 3]],
    build: (g, [x]) => softmax(g, add(g, x!, g.constant([0, -1e9, -1e9, 0, 0, -1e9, 0, 0, 0], [3, 3]))),
  },
  { name: 'logSoftmax', shapes: [[2, 4]], build: (g, [x]) => logSoftmax(g, x!) },
  { name: 'layerNorm', shapes: [[2, 2, 5], [5], [5]], build: (g, [x, w, b]) => layerNorm(g, x!, w!, b!, 1e-5) },
  { name: 'rmsNorm', shapes: [[2, 2, 5], [5]], build: (g, [x, w]) => rmsNorm(g, x!, w!, 1e-5) },
  {
    name: 'rotaryEmbedding',
    shapes: [[2, 2, 3, 4]],
    build: (g, [x]) => rotaryEmbedding(g, x!, table(g, 'cos'), table(g, 'sin')),
  },
  { name: 'gather', shapes: [[4, 3]], build: (g, [x]) => gather(g, x!, indices(g, [1, 3, 1, 0, 1, 3], [2, 3])) },
  {
    name: 'gatherElements',
    shapes: [[3, 4]],
    build: (g, [x]) => gatherElements(g, x!, indices(g, [1, 1, 0, 3, 2, 2], [3, 2])),
  },
  { name: 'reshape', shapes: [[2, 6]], build: (g, [x]) => reshape(g, x!, [3, 4]) },
  { name: 'transpose', shapes: [[2, 3, 4]], build: (g, [x]) => transpose(g, x!, [2, 0, 1]) },
  { name: 'slice', shapes: [[2, 5]], build: (g, [x]) => slice(g, x!, 1, 1, 4) },
  { name: 'pad', shapes: [[2, 3]], build: (g, [x]) => pad(g, x!, 1, 2, 1) },
  { name: 'expand', shapes: [[2, 1]], build: (g, [x]) => expand(g, x!, [3, 2, 4]) },
  {
    name: 'concat',
    shapes: [
      [2, 1],
      [2, 3],
    ],
    build: (g, [a, b]) => concat(g, [a!, b!, a!], 1),
  },
  {
    name: 'split with one part unused',
    shapes: [[2, 6]],
    build: (g, [x]) => {
      const [a, , c] = split(g, x!, [2, 2, 2], 1);
      return mul(g, a!, c!);
    },
  },
  { name: 'reduceSum', shapes: [[2, 3, 2]], build: (g, [x]) => reduceSum(g, x!, [0, 2]) },
  { name: 'reduceMean', shapes: [[2, 3, 2]], build: (g, [x]) => reduceMean(g, x!, [1], true) },
  {
    name: 'a value that is used three times',
    shapes: [[3]],
    build: (g, [x]) => mul(g, mul(g, x!, exp(g, x!)), x!),
  },
];

/** Random inputs, the same at every run. */
function inputsOf({ shapes, positive }: Case): Float32Array[] {
  const random = seededRandom(3);
  const uniform = () => random() / 2 ** 32 - 0.5;
  return shapes.map((shape) =>
    Float32Array.from({ length: sizeOf(shape) }, () => (positive ? 1 : 2) * uniform() + (positive ? 1 : 0)),
  );
}

/** Weights of the results in the loss Σ weight·y, so that no two results count the same. */
const weightsOf = (count: number) => Float32Array.from({ length: count }, (_, i) => 1 + 0.5 * Math.sin(3 * i));

describe('the gradient agrees with central differences:', () => {
  test.each(CASES)('$name', async (which) => {
    const g = new Tape();
    const tensors = which.shapes.map((shape, index) => g.input(`x${index}`, shape));
    const y = which.build(g, tensors);
    const weights = weightsOf(sizeOf(y.shape));
    const gradients = differentiate(g, new Map([[y, g.constant(weights, y.shape)]]), tensors);
    g.output(y, 'y');
    for (const [index, gradient] of gradients.entries()) {
      expect(gradient.shape).toEqual(which.shapes[index]);
      g.output(gradient, `d${index}`);
    }
    const graph = await engine.load(g.encode());
    const inputs = inputsOf(which);
    const run = () =>
      graph.run(
        Object.fromEntries(inputs.map((data, i): [string, Values] => [`x${i}`, { data, shape: which.shapes[i]! }])),
      );
    const loss = async () => (await run()).y!.reduce((sum, value, i) => sum + value * weights[i]!, 0);
    const analytic = await run();
    for (const [index, input] of inputs.entries()) {
      for (const [at, value] of [...input].entries()) {
        input[at] = value + STEP;
        const above = await loss();
        input[at] = value - STEP;
        const below = await loss();
        input[at] = value;
        const expected = (above - below) / (2 * STEP);
        const error = Math.abs(analytic[`d${index}`]![at]! - expected);
        expect(error, `input ${index} at ${at}`).toBeLessThan(2e-3 * Math.max(1, Math.abs(expected)));
      }
    }
    await graph.release();
  });

  test('and every rule is among them', () => {
    const used = new Set<string>();
    for (const { shapes, build } of CASES) {
      const g = new Tape();
      build(
        g,
        shapes.map((shape, index) => g.input(`x${index}`, shape)),
      );
      for (const { op } of g.nodes) used.add(op);
    }
    expect([...Object.keys(RULES)].filter((op) => !used.has(op))).toEqual([]);
  });
});

test('rows that repeat many times are summed, in any order of threads', async () => {
  const many = createNodeEngine({ threads: 4 });
  const [n, rows, d] = [4096, 3, 64];
  const g = new Tape();
  const ids = g.input('ids', [n], 'int32');
  g.output(scatterRowsAdd(g, zeros(g, [rows, d]), ids, g.input('updates', [n, d])), 'sums');
  const graph = await many.load(g.encode());
  const inputs = {
    ids: { data: Int32Array.from({ length: n }, (_, i) => i % rows), shape: [n] },
    updates: { data: new Float32Array(n * d).fill(1), shape: [n, d] },
  };
  for (let run = 0; run < 10; run++) {
    const { sums } = await graph.run(inputs);
    expect([sums![0], sums![d], sums![2 * d]]).toEqual([1366, 1365, 1365]);
  }
  await many.close();
});

describe('what cannot be differentiated is refused:', () => {
  test('an operator without a rule', () => {
    const g = new Tape();
    const x = g.input('x', [2]);
    const y = g.op('Floor', [x], x);
    expect(() => differentiate(g, new Map([[y, y]]), [x])).toThrow(/Floor has no gradient/);
  });

  test('an input that the loss does not depend on', () => {
    const g = new Tape();
    const [x, other] = [g.input('x', [2]), g.input('other', [2])];
    const y = exp(g, x);
    expect(() => differentiate(g, new Map([[y, y]]), [other])).toThrow(/does not depend on other/);
  });
});
