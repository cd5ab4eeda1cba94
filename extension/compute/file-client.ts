/** The computing worker's side of the file worker. */
import { AiloError } from '../../shared/errors/index.ts';
import type { Files } from '../../shared/train/virtual/files.ts';
import type { FileCalls } from './file-serve.ts';
import { connect, type Port } from './rpc.ts';

/** Where `bundleCompute` puts the worker, beside the one that starts it. */
const WORKER_URL = 'file-worker.js';

/** Starts a worker for the files of one folder of this origin. Throws STATE_NOT_STORED. */
export async function createWorkerFiles(folder: string): Promise<Files> {
  const worker = new Worker(new URL(WORKER_URL, self.location.href), { type: 'module', name: `ailo files ${folder}` });
  const { files, fail } = filesOverPort(worker, () => worker.terminate());
  worker.addEventListener('error', ({ message }) => {
    fail(AiloError.of('STATE_NOT_STORED', { reason: message || 'the file worker could not be started' }));
  });
  return files(folder);
}

/** Files behind any port; `terminate` ends the other side. */
export function filesOverPort(
  port: Port,
  terminate: () => void,
): { files(folder: string): Promise<Files>; fail(error: AiloError): void } {
  const { call, fail } = connect<FileCalls>(port, {});
  const files: Files = {
    async open(name) {
      await call('open', name);
      return {
        async read(at, into) {
          if (isShared(into)) await call('read', { name, at, into });
          else into.set(await call('readCopy', { name, at, length: into.length }));
        },
        async write(at, bytes) {
          if (isShared(bytes)) return call('write', { name, at, bytes });
          const copy = bytes.slice();
          return call('write', { name, at, bytes: copy }, [copy.buffer]);
        },
        flush: () => call('flush', name),
      };
    },
    clear: (name) => call('clear', name),
    async close() {
      await call('close', undefined);
      terminate();
    },
  };
  return {
    async files(folder) {
      await call('folder', folder);
      return files;
    },
    fail,
  };
}

function isShared({ buffer }: Uint8Array): boolean {
  return typeof SharedArrayBuffer !== 'undefined' && buffer instanceof SharedArrayBuffer;
}
