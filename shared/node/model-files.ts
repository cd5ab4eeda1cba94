/** The files of a model that the coordinator serves, each chunk checked against the manifest that it announced. */
import { sha256Hex } from '../bytes/sha256.ts';
import { AiloError } from '../errors/index.ts';
import { MAX_MANIFEST_BYTES } from '../model/limits.ts';
import { parseManifest } from '../model/manifest.ts';
import { httpSource } from '../model/source.ts';
import type { ChunkStore, ModelSource } from '../model/types.ts';
import { verifiedSource } from '../model/verified.ts';
import { paths } from '../protocol/http.ts';

export interface ModelFilesOptions {
  /** The coordinator. */
  url: string;
  fetch: typeof fetch;
  chunks: ChunkStore;
}

/** Throws MANIFEST_INVALID, also for a manifest with another hash, and the source's errors. */
export async function openModelFiles(
  { model, manifestHash }: { model: string; manifestHash: string },
  { url, fetch, chunks }: ModelFilesOptions,
  signal?: AbortSignal,
): Promise<ModelSource> {
  const at = (path: string) => new URL(path, url).href;
  const manifests = httpSource({ fetch, urlOf: () => at(paths.manifest(model)) });
  const bytes = await manifests.readFile('manifest.json', MAX_MANIFEST_BYTES, signal);
  if ((await sha256Hex(bytes)) !== manifestHash) {
    throw AiloError.of('MANIFEST_INVALID', { reason: 'it is not the one that the network announced' });
  }
  const files = httpSource({ fetch, urlOf: (path) => at(paths.modelFile(model, path)) });
  return verifiedSource(parseManifest(bytes), files, chunks);
}
