/** The page's side of the compute worker: a `Runtime` that computes elsewhere. */
import { throwIfCancelled } from '../../shared/errors/cancelled.ts';
import { AiloError } from '../../shared/errors/index.ts';
import type { WeightSpec } from '../../shared/graph/types.ts';
import type { Engine, LoadedStage, Runtime } from '../../shared/runtime/types.ts';
import { connect, type Port } from './rpc.ts';
import type { PageCalls, WorkerCalls } from './serve.ts';

/** Where `bundleCompute` puts the worker, seen from the page. */
const WORKER_URL = 'compute-worker.js';

export interface WorkerRuntimeOptions {
  engine: Engine;
  budgetBytes: number;
  /** Of the WASM engine; absent: as many as the machine has, within reason. */
  threads?: number;
}

/** Starts the worker and its engine. Throws ENGINE_UNAVAILABLE. */
export async function createWorkerRuntime(options: WorkerRuntimeOptions): Promise<Runtime> {
  const worker = new Worker(WORKER_URL, { type: 'module', name: `ailo ${options.engine}` });
  const { runtime, fail } = runtimeOverPort(worker, options, () => worker.terminate());
  worker.addEventListener('error', (event) => {
    const reason = event.message || 'the compute worker could not be started';
    fail(AiloError.of('ENGINE_UNAVAILABLE', { engine: options.engine, reason }));
  });
  return runtime;
}

type Read = (weight: WeightSpec) => Promise<Uint8Array>;

/** A runtime behind any port; `terminate` ends the other side. */
export function runtimeOverPort(
  port: Port,
  { engine, budgetBytes, threads }: WorkerRuntimeOptions,
  terminate: () => void,
): { runtime: Promise<Runtime>; fail: (error: AiloError) => void } {
  /** Of the stages that are being loaded. */
  const reads = new Map<number, Read>();
  let nextStage = 0;
  const { call, fail } = connect<WorkerCalls>(port, {
    async read({ id, weight }) {
      const bytes = await reads.get(id)!(weight);
      const whole = bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
      return { value: whole, transfer: [whole.buffer] };
    },
  } satisfies PageCalls);

  const runtime: Runtime = {
    engine,
    budgetBytes,
    async load(graph, read, { maxSequences, signal, onProgress }) {
      const id = nextStage++;
      let loadedBytes = 0;
      reads.set(id, async (weight) => {
        throwIfCancelled(signal);
        const bytes = await read(weight);
        loadedBytes += bytes.length;
        onProgress?.(loadedBytes, graph.memory.weightBytes);
        return bytes;
      });
      try {
        await call('load', { id, graph, maxSequences });
      } finally {
        reads.delete(id);
      }
      const stage: LoadedStage = {
        lanes: graph.lanes,
        run: (steps) => call('run', { id, steps }),
        drop: (sequence) => call('drop', { id, sequence }),
        release: () => call('release', { id }),
      };
      if (signal?.aborted) {
        await stage.release();
        throwIfCancelled(signal);
      }
      return stage;
    },
    measure: () => call('measure', undefined),
    async close() {
      fail(AiloError.of('STAGE_RELEASED', {}));
      terminate();
    },
  };
  const opened = call('open', { engine, budgetBytes, ...(threads && { threads }) });
  return { runtime: opened.then((engineHas) => ({ ...runtime, ...engineHas })), fail };
}
