/** jax-js on its WASM device: the block as one writes it there, compiled by `jit(valueAndGrad)`. */
import { blockUntilReady, defaultDevice, init, jit, nn, numpy as np, tree, valueAndGrad } from '@jax-js/jax';
import { type BlockTensor, blockProblem, CONFIG, TOKENS } from './block.ts';
import { digestOf } from './digest.ts';
import type { TrainingEngine } from './types.ts';

const { hiddenSize, heads, headDim, normEpsilon } = CONFIG;

/** By name; whoever is given an array owns it, and `.ref` is for using it once more. */
type Arrays = Record<string, np.Array>;

export async function loadJaxjs(threads: number): Promise<TrainingEngine> {
  // It takes as many threads as the machine has, and asks when it starts.
  Object.defineProperty(navigator, 'hardwareConcurrency', { value: threads });
  await init('wasm');
  defaultDevice('wasm');
  const { before, upstream, parameters } = await blockProblem();
  const arrays: Arrays = Object.fromEntries([before, ...parameters].map((tensor) => [tensor.name, arrayOf(tensor)]));
  const direction = arrayOf(upstream);
  const step = jit(valueAndGrad((given: Arrays, direction: np.Array) => block(given).mul(direction).sum()));
  const run = () => blockUntilReady(step(tree.ref(arrays), direction.ref) as [np.Array, Arrays]);
  return {
    threads,
    async step() {
      const start = performance.now();
      const results = await run();
      const elapsed = performance.now() - start;
      tree.dispose(results);
      return elapsed;
    },
    async digest() {
      const [value, grads] = await run();
      const gradients = new Map<string, Float32Array>();
      for (const [name, gradient] of Object.entries(grads))
        gradients.set(name, (await gradient.data()) as Float32Array);
      return digestOf(((await value.data()) as Float32Array)[0]!, gradients);
    },
  };
}

function arrayOf({ values, shape }: BlockTensor): np.Array {
  return np.array(values).reshape([...shape]);
}

/** Takes all of the arrays. */
function block(of: Arrays): np.Array {
  const linear = (name: string, x: np.Array) => np.matmul(x, of[`${name}.weight`]!).add(of[`${name}.bias`]!);
  const norm = (name: string, x: np.Array) =>
    nn.standardize(x, -1, { epsilon: normEpsilon }).mul(of[`${name}.weight`]!).add(of[`${name}.bias`]!);
  const x = of.before!;
  const attended = x.ref.add(linear('attn.c_proj', attention(linear('attn.c_attn', norm('ln_1', x)))));
  const wide = linear('mlp.c_fc', norm('ln_2', attended.ref));
  return attended.add(linear('mlp.c_proj', nn.gelu(wide)));
}

function attention(qkv: np.Array): np.Array {
  const [q, k, v] = np.split(qkv, 3, 1).map((part) => part.reshape([TOKENS, heads, headDim]));
  return nn.dotProductAttention(q!, k!, v!, { isCausal: true }).reshape([TOKENS, hiddenSize]);
}
