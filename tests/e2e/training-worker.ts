/** Runs in a worker of a page: the reference of training on onnxruntime-web. */
import { createWebEngine } from '../../extension/compute/web-runtime.ts';
import { toAiloError } from '../../shared/errors/index.ts';
import { httpSource } from '../../shared/model/source.ts';
import type { Engine } from '../../shared/runtime/types.ts';
import { runTrainingReference } from '../fixtures/training-reference.ts';

interface Job {
  engine: Engine;
  form: 'whole' | 'blocks';
  model: string;
}

self.addEventListener('message', async ({ data }: MessageEvent<Job>) => {
  try {
    const urlOf = (path: string) => new URL(`training/${data.model}/${path}`, self.location.href).href;
    const source = httpSource({ fetch: fetch.bind(globalThis), urlOf });
    self.postMessage({ errors: await runTrainingReference(await createWebEngine(data.engine), source, data.form) });
  } catch (thrown) {
    self.postMessage({ failure: `${toAiloError(thrown).message} ${thrown}` });
  }
});
