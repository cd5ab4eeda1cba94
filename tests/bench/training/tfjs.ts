/**
 * TensorFlow.js on its WASM backend: the block as one writes it there, gradients by `valueAndGrads`. Products with a
 * transposed factor are slow there, and its gradient of a product has two; so once more with a gradient that transposes
 * first, which is what somebody would write who knew.
 */

import { getThreadsCount, setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import { type BlockTensor, blockProblem, CONFIG, TOKENS } from './block.ts';
import { digestOf } from './digest.ts';
import type { TrainingEngine } from './types.ts';

const { hiddenSize, heads, headDim, normEpsilon } = CONFIG;

/** Of matrices, or of as many on both sides. */
type Product = (a: tf.Tensor, b: tf.Tensor) => tf.Tensor;

export const loadTfjs = (threads: number) => load(threads, (a, b) => tf.matMul(a, b));

export const loadTfjsTransposing = (threads: number) => {
  const product = tf.customGrad((a, b, save) => {
    const [left, right] = [a as tf.Tensor, b as tf.Tensor];
    (save as tf.GradSaveFunc)([left, right]);
    return {
      value: tf.matMul(left, right),
      gradFunc: (dy, saved) => {
        const [left, right] = saved as [tf.Tensor, tf.Tensor];
        return [tf.matMul(dy, transposed(right)), tf.matMul(transposed(left), dy)];
      },
    };
  });
  return load(threads, product);
};

async function load(threads: number, product: Product): Promise<TrainingEngine> {
  setWasmPaths(new URL('tfjs/', location.href).href);
  // It takes half of the machine's threads at most.
  Object.defineProperty(navigator, 'hardwareConcurrency', { value: 2 * threads });
  setThreadsCount(threads);
  if (!(await tf.setBackend('wasm'))) throw new Error('TensorFlow.js has no WASM backend here');
  await tf.ready();
  const { before, upstream, parameters } = await blockProblem();
  const tensors = [before, ...parameters];
  const names = tensors.map(({ name }) => name);
  const inputs = tensors.map(tensorOf);
  const direction = tensorOf(upstream);
  const loss = (...given: tf.Tensor[]) => {
    const byName = new Map(names.map((name, index) => [name, given[index]!]));
    const after = block((name) => byName.get(name)!, product);
    return tf.sum(tf.mul(after, direction)) as tf.Scalar;
  };
  const valueAndGradients = tf.valueAndGrads(loss);
  return {
    threads: getThreadsCount(),
    async step() {
      const start = performance.now();
      const { value, grads } = valueAndGradients(inputs);
      const elapsed = performance.now() - start;
      tf.dispose([value, ...grads]);
      return elapsed;
    },
    async digest() {
      const { value, grads } = valueAndGradients(inputs);
      const gradients = new Map(names.map((name, index) => [name, grads[index]!.dataSync() as Float32Array]));
      const digest = digestOf(value.dataSync()[0]!, gradients);
      tf.dispose([value, ...grads]);
      return digest;
    },
  };
}

function tensorOf({ values, shape }: BlockTensor): tf.Tensor {
  return tf.tensor(values, [...shape]);
}

function block(of: (name: string) => tf.Tensor, product: Product): tf.Tensor {
  const linear = (name: string, x: tf.Tensor) => tf.add(product(x, of(`${name}.weight`)), of(`${name}.bias`));
  const norm = (name: string, x: tf.Tensor) => {
    const { mean, variance } = tf.moments(x, -1, true);
    const normed = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, normEpsilon)));
    return tf.add(tf.mul(normed, of(`${name}.weight`)), of(`${name}.bias`));
  };
  const x = of('before');
  const attended = tf.add(x, linear('attn.c_proj', attention(linear('attn.c_attn', norm('ln_1', x)), product)));
  const wide = linear('mlp.c_fc', norm('ln_2', attended));
  return tf.add(attended, linear('mlp.c_proj', geluTanh(wide)));
}

function attention(qkv: tf.Tensor, product: Product): tf.Tensor {
  const [q, k, v] = tf
    .split(qkv, 3, 1)
    .map((part) => tf.transpose(tf.reshape(part, [TOKENS, heads, headDim]), [1, 0, 2]));
  const scores = tf.mul(product(q!, transposed(k!)), 1 / Math.sqrt(headDim));
  const mixed = product(tf.softmax(tf.add(scores, futureMask())), v!);
  return tf.reshape(tf.transpose(mixed, [1, 0, 2]), [TOKENS, hiddenSize]);
}

/** The last two axes change places. */
function transposed(x: tf.Tensor): tf.Tensor {
  return tf.transpose(x, x.rank === 2 ? [1, 0] : [0, 2, 1]);
}

/** [TOKENS, TOKENS]: 0 where a row may look. */
function futureMask(): tf.Tensor {
  const values = Float32Array.from({ length: TOKENS * TOKENS }, (_, index) =>
    index % TOKENS > Math.floor(index / TOKENS) ? -1e9 : 0,
  );
  return tf.tensor2d(values, [TOKENS, TOKENS]);
}

function geluTanh(x: tf.Tensor): tf.Tensor {
  const cube = tf.mul(tf.mul(x, x), x);
  const inner = tf.mul(tf.add(x, tf.mul(cube, 0.044715)), Math.sqrt(2 / Math.PI));
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1));
}
