import { throwIfCancelled } from '../../errors/cancelled.ts';
import type { ModelManifest } from '../../model/manifest.ts';
import type { Sources } from '../../model/sources.ts';
import type { Borrower } from './borrower.ts';

/** Chunks from neighbours as long as one is linked and gives what is right, each of the others from `rest`. */
export function neighboursFirst(
  { files, chunkBytes }: Pick<ModelManifest, 'files' | 'chunkBytes'>,
  { attempt }: Pick<Borrower, 'attempt'>,
  rest: Sources,
): Sources {
  const hashes = new Map(files.map(({ path, chunks }) => [path, chunks]));
  return {
    async try(use, signal) {
      const first = attempt();
      if (!first) return rest.try(use, signal);
      try {
        return await use({
          readRange: (path, start, end, signal) =>
            first.read(hashes.get(path)![start / chunkBytes]!, end - start, signal),
        });
      } catch {
        throwIfCancelled(signal);
        first.failed();
        return rest.try(use, signal);
      }
    },
  };
}
