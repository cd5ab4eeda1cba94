/**
 * The dedicated worker that reads and writes the files of a training, beside the one that computes: a run of onnxruntime
 * blocks its thread, and OPFS's fast access is synchronous. Whatever lies in shared memory, onnxruntime's heap for
 * example, is filled and written where it is.
 */
import { type Folder, serveFiles } from './file-serve.ts';
import type { Port } from './rpc.ts';

serveFiles(self as unknown as Port, async (name) => {
  const root = await navigator.storage.getDirectory();
  await removeOthers(root as unknown as Root, name);
  // TypeScript's library for pages does not have what workers may do with files.
  return (await root.getDirectoryHandle(name, { create: true })) as unknown as Folder;
});

interface Root {
  keys(): AsyncIterable<string>;
  removeEntry(name: string, options: { recursive: true }): Promise<void>;
}

/** One training at a time: what another left would fill the disk for good. One that still runs keeps its folder. */
async function removeOthers(root: Root, name: string): Promise<void> {
  const others: string[] = [];
  for await (const other of root.keys()) if (other !== name) others.push(other);
  for (const other of others) await root.removeEntry(other, { recursive: true }).catch(() => undefined);
}
