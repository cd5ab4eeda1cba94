/** Runs in the browser: the same `generate` and `score` as in Node, on the extension's compute worker. */
import { createWorkerRuntime } from '../../extension/compute/client.ts';
import { toAiloError, type WireError } from '../../shared/errors/index.ts';
import { generate } from '../../shared/generate/generate.ts';
import { score } from '../../shared/generate/score.ts';
import { loadConfig } from '../../shared/model/config.ts';
import { httpSource } from '../../shared/model/source.ts';
import { openWeights } from '../../shared/model/weights.ts';
import type { PageEvent, PageRequest } from './request.ts';

declare global {
  /** Set by `inBrowser`. */
  function ailoEmit(event: PageEvent): Promise<void>;
  /** Called by `inBrowser`. Resolves to the error, if any, when all events have been emitted. */
  function ailoRun(request: PageRequest): Promise<WireError | undefined>;
}

globalThis.ailoRun = async ({ budgetBytes, ...request }) => {
  const emitted: Promise<void>[] = [];
  try {
    const source = httpSource({ fetch: fetch.bind(globalThis), urlOf: (path) => `model/${path}` });
    const config = await loadConfig(source);
    const weights = await openWeights(source);
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
