import type { InferenceSession } from 'onnxruntime-common';
import * as ort from 'onnxruntime-web/webgpu';
import { AiloError } from '../../shared/errors/index.ts';
import { kernelStages } from '../../shared/kernels/open-stage.ts';
import { type CreateKvCache, sharedKvCache } from '../../shared/runtime/kv-cache.ts';
import type { Ort } from '../../shared/runtime/ort.ts';
import { createOrtRuntime } from '../../shared/runtime/ort-runtime.ts';
import { createTensorEngine, type EngineMemory, type TensorEngine } from '../../shared/runtime/tensor-engine.ts';
import type { Engine, Runtime } from '../../shared/runtime/types.ts';
import { OrtHeap } from './heap-session.ts';
import { ORT_BUILDS, ORT_MODULE } from './ort-builds.ts';
import type * as OrtModuleFile from './ort-module.ts';
import type { RuntimeOptions } from './serve.ts';
import { loadKernels } from './web-kernels.ts';

/** More threads than this gain nothing in onnxruntime's kernels and take the machine from its owner. */
const MAX_THREADS = 8;

/** `GPUBufferUsage` (WebGPU §5.1.2), which TypeScript's library does not declare. */
const [COPY_SRC, COPY_DST, STORAGE] = [0x04, 0x08, 0x80];

const ORT_MODULE_URL = new URL(ORT_MODULE, self.location.href);

/** The package has its own copy of the types, which differ only in private members. */
const web = ort as unknown as Ort;

/** onnxruntime-web in this worker for stages of a model. Throws ENGINE_UNAVAILABLE. */
export async function createWebRuntime({ engine, budgetBytes, threads }: RuntimeOptions): Promise<Runtime> {
  const session = await configure(engine, threads);
  const common = { engine, budgetBytes, session, nowMs: () => performance.now() };
  if (engine === 'webgpu') return createOrtRuntime({ ...common, ort: web, createKvCache: gpuKvCache });
  const kernels = await loadKernels(ort.env.wasm.numThreads!);
  return createOrtRuntime({
    ...common,
    ...{ ort: inHeap, createKvCache: heapKvCache },
    ...(kernels && { others: kernelStages(kernels) }),
  });
}

const heapKvCache: CreateKvCache = async (graph) => {
  const heap = await wasmHeap();
  return sharedKvCache(graph, (dims) => heap.allocate(dims));
};

/** onnxruntime-web with sessions that run in its heap. */
const inHeap: Ort = {
  Tensor: web.Tensor,
  InferenceSession: {
    async create(model, options) {
      const session = await ort.InferenceSession.create(model, options);
      const heap = await wasmHeap();
      const all = Object.fromEntries(session.outputNames.map((name) => [name, null]));
      return {
        inputNames: session.inputNames,
        outputNames: session.outputNames,
        run: (feeds, fetches = all) => heap.run(session, feeds, fetches),
        release: () => session.release(),
      };
    },
  },
};

let heap: OrtHeap | undefined;

/** The heap of the WASM engine, which has a session by now. */
async function wasmHeap(): Promise<OrtHeap> {
  if (heap) return heap;
  const { ortModule }: typeof OrtModuleFile = await import(ORT_MODULE_URL.href);
  const module = ortModule();
  if (!module) throw new Error('onnxruntime-web was not loaded through our module');
  heap = new OrtHeap(web, module);
  return heap;
}

/** onnxruntime-web in this worker for training. Throws ENGINE_UNAVAILABLE. */
export async function createWebEngine(engine: Engine, threads?: number): Promise<TensorEngine> {
  const session = await configure(engine, threads);
  // A heap that is not shared is another one whenever it grows, and what pointed into it is lost.
  if (engine !== 'wasm' || !self.crossOriginIsolated) return createTensorEngine(web, { session });
  return createTensorEngine(inHeap, { session, allocate });
}

function allocate(size: number): EngineMemory {
  if (!heap) throw new RangeError('the heap is there once a graph is loaded');
  return heap.reserve(size);
}

/** Sets onnxruntime-web up for an engine; its files lie beside the worker's. */
async function configure(engine: Engine, threads?: number): Promise<InferenceSession.SessionOptions> {
  if (engine === 'node') throw AiloError.of('ENGINE_UNAVAILABLE', { engine, reason: 'this is a browser' });
  const { wasm } = ort.env;
  const build = ORT_BUILDS[engine];
  wasm.wasmPaths = {
    mjs: engine === 'wasm' ? ORT_MODULE_URL : new URL(`${build}.mjs`, self.location.href),
    wasm: new URL(`${build}.wasm`, self.location.href),
  };
  // Threads need shared memory, which only isolated pages have.
  wasm.numThreads = self.crossOriginIsolated ? (threads ?? Math.min(navigator.hardwareConcurrency, MAX_THREADS)) : 1;
  if (engine === 'webgpu') await requireWebGpu();
  return { executionProviders: [engine], logSeverityLevel: 3 };
}

async function requireWebGpu(): Promise<void> {
  const adapter = await navigator.gpu?.requestAdapter();
  if (!adapter) throw AiloError.of('ENGINE_UNAVAILABLE', { engine: 'webgpu', reason: 'this browser offers no GPU' });
}

/** Past and present are one buffer of the GPU, on the device that onnxruntime made for its sessions. */
const gpuKvCache: CreateKvCache = async (graph) => {
  const device = await ort.env.webgpu.device;
  return sharedKvCache(graph, (dims) => {
    const size = dims.reduce((product, dim) => product * dim, Float32Array.BYTES_PER_ELEMENT);
    // WebGPU begins every buffer with zeros.
    const buffer = device.createBuffer({ size, usage: STORAGE | COPY_SRC | COPY_DST });
    return web.Tensor.fromGpuBuffer(buffer, { dataType: 'float32', dims, dispose: () => buffer.destroy() });
  });
};
