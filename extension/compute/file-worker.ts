/**
 * The dedicated worker that reads and writes the files of a training, beside the one that computes: a run of onnxruntime
 * blocks its thread, and OPFS's fast access is synchronous. Whatever lies in shared memory, onnxruntime's heap for
 * example, is filled and written where it is.
 */
import { type Folder, serveFiles } from './file-serve.ts';
import type { Port } from './rpc.ts';

serveFiles(self as unknown as Port, async (name) => {
  const root = await navigator.storage.getDirectory();
  // TypeScript's library for pages does not have what workers may do with files.
  return (await root.getDirectoryHandle(name, { create: true })) as unknown as Folder;
});
