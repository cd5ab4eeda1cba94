/** A thread of the kernels beside the compute worker: waits in the stage's memory for steps, and computes its share. */
import { instantiate } from '../../shared/kernels/instantiate.ts';
import type { ThreadWork } from '../../shared/kernels/kernel-stage.ts';

self.addEventListener('message', ({ data: { module, memory, thread } }: MessageEvent<ThreadWork>) => {
  const { serve } = instantiate(module, memory);
  self.postMessage('there');
  // Returns when the stage is released.
  serve(thread);
});
