/** The worker's side: a runtime whose methods are called over a port. */

import { AiloError } from '../../shared/errors/index.ts';
import type { StageGraph, WeightSpec } from '../../shared/graph/types.ts';
import type { Engine, LoadedStage, Measurement, Runtime, StageOutput, StageStep } from '../../shared/runtime/types.ts';
import { connect, type Handlers, type Port, type Reply } from './rpc.ts';

export interface RuntimeOptions {
  engine: Engine;
  budgetBytes: number;
  threads?: number;
}

export interface WorkerCalls extends Handlers {
  open(options: RuntimeOptions): Promise<Reply<Pick<Runtime, 'hasKernels'>>>;
  /** The page names the stage; `read` calls for its weights come back to the page under that name. */
  load(stage: { id: number; graph: StageGraph; maxSequences: number }): Promise<Reply<void>>;
  run(steps: { id: number; steps: readonly StageStep[] }): Promise<Reply<StageOutput[]>>;
  drop(options: { id: number; sequence: string }): Promise<Reply<void>>;
  release(options: { id: number }): Promise<Reply<void>>;
  measure(nothing: undefined): Promise<Reply<Measurement>>;
}

export interface PageCalls extends Handlers {
  read(weight: { id: number; weight: WeightSpec }): Promise<Reply<Uint8Array>>;
}

/** Serves one runtime, which `create` makes when the page opens it. */
export function serveRuntime(port: Port, create: (options: RuntimeOptions) => Promise<Runtime>): void {
  const stages = new Map<number, LoadedStage>();
  let runtime: Runtime | undefined;

  const opened = (): Runtime => {
    if (!runtime) throw AiloError.of('ENGINE_UNAVAILABLE', { engine: 'worker', reason: 'it was not opened' });
    return runtime;
  };
  const stage = (id: number): LoadedStage => {
    const found = stages.get(id);
    if (!found) throw AiloError.of('STAGE_RELEASED', {});
    return found;
  };
  const nothing = { value: undefined };

  const handlers: WorkerCalls = {
    async open(options) {
      runtime = await create(options);
      return { value: runtime.hasKernels ? { hasKernels: true } : {} };
    },
    async load({ id, graph, maxSequences }) {
      const read = (weight: WeightSpec) => page.call('read', { id, weight });
      stages.set(id, await opened().load(graph, read, { maxSequences }));
      return nothing;
    },
    async run({ id, steps }) {
      const outputs = await stage(id).run(steps);
      // An engine may hand out views of something larger, which must stay with it.
      const value = outputs.map(({ data, ...rest }) => ({
        ...rest,
        data: data.byteLength === data.buffer.byteLength ? data : data.slice(),
      }));
      return { value, transfer: value.map(({ data }) => data.buffer) };
    },
    async drop({ id, sequence }) {
      await stages.get(id)?.drop(sequence);
      return nothing;
    },
    async release({ id }) {
      await stages.get(id)?.release();
      stages.delete(id);
      return nothing;
    },
    measure: async () => ({ value: await opened().measure() }),
  };
  const page = connect<PageCalls>(port, handlers);
}
