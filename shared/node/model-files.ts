/**
 * The files of a model that the coordinator serves, each chunk checked against the manifest that it announced. They come
 * from neighbours that have them, else from the coordinator; what that cannot give comes from the hub, where the model is
 * from there.
 */
import { sha256Hex } from '../bytes/sha256.ts';
import { AiloError } from '../errors/index.ts';
import { MAX_MANIFEST_BYTES } from '../model/limits.ts';
import { parseManifest } from '../model/manifest.ts';
import { httpSource } from '../model/source.ts';
import { inOrder } from '../model/sources.ts';
import type { ChunkStore, ModelSource } from '../model/types.ts';
import { verifiedSource } from '../model/verified.ts';
import { paths } from '../protocol/http.ts';
import type { Borrower } from './chunks/borrower.ts';
import { neighboursFirst } from './chunks/neighbours-first.ts';

export interface ModelFilesOptions {
  /** The coordinator. */
  url: string;
  fetch: typeof fetch;
  chunks: ChunkStore;
  /** Milliseconds of a steady clock. */
  now(): number;
}

/** Asked for what the coordinator cannot give; never anything else, and never with a token. */
const HUB_URL = 'https://huggingface.co';

/** Throws MANIFEST_INVALID, also for a manifest with another hash, and the source's errors. */
export async function openModelFiles(
  { model, manifestHash }: { model: string; manifestHash: string },
  { url, fetch, chunks, now }: ModelFilesOptions,
  signal?: AbortSignal,
  neighbours?: Pick<Borrower, 'attempt'>,
): Promise<ModelSource> {
  const at = (path: string) => new URL(path, url).href;
  const manifests = httpSource({ fetch, urlOf: () => at(paths.manifest(model)) });
  const bytes = await manifests.readFile('manifest.json', MAX_MANIFEST_BYTES, signal);
  if ((await sha256Hex(bytes)) !== manifestHash) {
    throw AiloError.of('MANIFEST_INVALID', { reason: 'it is not the one that the network announced' });
  }
  const manifest = parseManifest(bytes);
  const sources = [httpSource({ fetch, urlOf: (path) => at(paths.modelFile(model, path)) })];
  const { origin } = manifest;
  if (origin) {
    const { repo, revision } = origin;
    sources.push(httpSource({ fetch, urlOf: (path) => `${HUB_URL}/${repo}/resolve/${revision}/${path}` }));
  }
  const served = inOrder(sources, now);
  return verifiedSource(manifest, neighbours ? neighboursFirst(manifest, neighbours, served) : served, chunks);
}
