/** Runs in a worker: the training engine of the extension, with the block's tensors in its memory. */
import { createWebEngine } from '../../../extension/compute/web-runtime.ts';
import type { LoadedGraph, TensorEngine, Tensors, Values } from '../../../shared/runtime/tensor-engine.ts';
import { PORTS } from '../../../shared/train/graphs.ts';
import { sizeOf } from '../../../shared/train/tape/tape.ts';
import { type BlockTensor, blockProblem, LAYER } from './block.ts';
import { type Digest, digestOf } from './digest.ts';
import { productsGraph, stepGraph } from './graphs.ts';

export type OursCall = { load: { threads: number } } | { run: 'step' | 'digest' | 'products' };
export type OursReply = { ms?: number; digest?: Digest; failure?: string };

interface Bound {
  graph: LoadedGraph;
  inputs: Tensors;
  into: Record<string, Values>;
}

let step: Bound & { named: Map<string, string> };
let products: Bound;

async function load(threads: number): Promise<void> {
  const engine = await createWebEngine('wasm', threads);
  const { before, upstream, parameters } = await blockProblem();
  const graph = await engine.load(stepGraph());
  const place = placer(engine);
  const port = ({ name }: BlockTensor) => (name === before.name ? PORTS.before : LAYER + name);
  const asked = [before, ...parameters];
  const filled = ({ shape, values }: BlockTensor) => {
    const place_ = place(shape);
    place_.data.set(values);
    return place_;
  };
  step = {
    graph,
    inputs: {
      upstream: filled(upstream),
      ...Object.fromEntries(asked.map((tensor) => [port(tensor), filled(tensor)])),
    },
    into: {
      [PORTS.loss]: place([]),
      ...Object.fromEntries(asked.map((tensor) => [PORTS.gradient(port(tensor)), place(tensor.shape)])),
    },
    named: new Map(asked.map((tensor) => [tensor.name, PORTS.gradient(port(tensor))])),
  };
  const { onnx, inputs, outputs } = productsGraph();
  const places = (tensors: typeof inputs) => Object.fromEntries(tensors.map(({ name, shape }) => [name, place(shape)]));
  products = { graph: await engine.load(onnx), inputs: places(inputs), into: places(outputs) };
  for (const { data } of Object.values(products.inputs)) data.fill(0.5);
}

function placer(engine: TensorEngine): (shape: readonly number[]) => Values {
  return (shape) => ({ data: engine.allocate(sizeOf(shape)).values, shape });
}

async function timed({ graph, inputs, into }: Bound): Promise<OursReply> {
  const start = performance.now();
  await graph.run(inputs, into);
  return { ms: performance.now() - start };
}

async function digest(): Promise<OursReply> {
  const { graph, inputs, into, named } = step;
  await graph.run(inputs, into);
  const valuesOf = (port: string) => into[port]!.data as Float32Array;
  const gradients = new Map([...named].map(([name, port]) => [name, valuesOf(port)]));
  return { digest: digestOf(valuesOf(PORTS.loss)[0]!, gradients) };
}

async function answer(call: OursCall): Promise<OursReply> {
  if ('load' in call) {
    await load(call.load.threads);
    return {};
  }
  if (call.run === 'digest') return digest();
  return timed(call.run === 'step' ? step : products);
}

self.addEventListener('message', async ({ data }: MessageEvent<OursCall>) => {
  try {
    self.postMessage(await answer(data));
  } catch (thrown) {
    self.postMessage({ failure: String(thrown) } satisfies OursReply);
  }
});
