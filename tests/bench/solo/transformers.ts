import type { TransformersCall, TransformersReply } from './transformers-worker.ts';
import type { SoloAnswer, SoloEngine, SoloLoad } from './types.ts';

export async function loadTransformers(load: SoloLoad): Promise<SoloEngine> {
  const worker = new Worker('transformers-worker.js', { type: 'module' });
  const call = (message: TransformersCall) =>
    new Promise<SoloAnswer | undefined>((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<TransformersReply>) =>
        data.failure === undefined ? resolve(data.answer) : reject(new Error(data.failure));
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.postMessage(message);
    });
  await call({ load });
  return { answer: async (prompt, newTokens) => (await call({ prompt, newTokens }))! };
}
