/** Runs in the browser: the same `generate` and `score` as in Node, on the extension's compute worker. */
import { createWorkerRuntime } from '../../extension/compute/client.ts';
import { toAiloError, type WireError } from '../../shared/errors/index.ts';
import { generate } from '../../shared/generate/generate.ts';
import { score } from '../../shared/generate/score.ts';
import { openAdapted } from '../../shared/model/adapter.ts';
import { loadConfig } from '../../shared/model/config.ts';
import { httpSource } from '../../shared/model/source.ts';
import type { PageEvent, PageRequest } from './request.ts';

declare global {
  /** Set by `inBrowser`. */
  function ailoEmit(event: PageEvent): Promise<void>;
  /** Called by `inBrowser`. Resolves to the error, if any, when all events have been emitted. */
  function ailoRun(request: PageRequest): Promise<WireError | undefined>;
}

const filesOf = (place: string) => httpSource({ fetch: fetch.bind(globalThis), urlOf: (path) => `${place}/${path}` });

globalThis.ailoRun = async ({ budgetBytes, adapter, ...request }) => {
  const emitted: Promise<void>[] = [];
  try {
    const source = filesOf('model');
    const config = await loadConfig(source);
    const weights = await openAdapted(source, adapter === undefined ? undefined : filesOf('adapter'), config);
    const runtime = await createWorkerRuntime({ engine: request.engine, budgetBytes });
    const model = { config, weights, runtime };
    const events =
      request.task === 'generate'
        ? generate({ ...request, ...model, nowMs: () => performance.now() })
        : score({ ...request, ...model });
    for await (const event of events) {
      // Not awaited here: the way to Node and back would be counted as decoding.
      emitted.push(ailoEmit(event.kind === 'token' ? { ...event, logits: event.logits && [...event.logits] } : event));
    }
    await Promise.all(emitted);
    await runtime.close();
    return undefined;
  } catch (thrown) {
    const error = toAiloError(thrown);
    if (error.code === 'INTERNAL') console.error(thrown);
    return error.toWire();
  }
};
