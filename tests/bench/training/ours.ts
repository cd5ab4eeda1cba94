import type { OursCall, OursReply } from './ours-worker.ts';
import type { TrainingEngine } from './types.ts';

export async function loadOurs(threads: number): Promise<TrainingEngine> {
  const worker = new Worker('ours-worker.js', { type: 'module' });
  const call = (message: OursCall) =>
    new Promise<OursReply>((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<OursReply>) =>
        data.failure === undefined ? resolve(data) : reject(new Error(data.failure));
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.postMessage(message);
    });
  await call({ load: { threads } });
  return {
    threads,
    step: async () => (await call({ run: 'step' })).ms!,
    digest: async () => (await call({ run: 'digest' })).digest!,
    products: async () => (await call({ run: 'products' })).ms!,
  };
}
