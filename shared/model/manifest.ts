import * as v from 'valibot';
import { sha256Hex } from '../bytes/sha256.ts';
import { AiloError } from '../errors/index.ts';
import { parseJson } from './json.ts';
import {
  DEFAULT_CHUNK_BYTES,
  MAX_CHUNK_BYTES,
  MAX_MANIFEST_BYTES,
  MAX_MANIFEST_FILES,
  MIN_CHUNK_BYTES,
} from './limits.ts';
import type { ModelSource } from './types.ts';

const isPowerOfTwo = (n: number) => Number.isInteger(Math.log2(n));
const ChunkHash = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'not a SHA-256'));

const ManifestFile = v.strictObject({
  path: v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, 'not a plain file name')),
  size: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** SHA-256 (hex) of each `chunkBytes` of the file; the last may be shorter. */
  chunks: v.array(ChunkHash),
});

/** A repository of the Hugging Face hub at a commit. */
const HubOrigin = v.strictObject({
  repo: v.pipe(
    v.string(),
    v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,95}\/[A-Za-z0-9][A-Za-z0-9._-]{0,95}$/, 'not a repository'),
  ),
  revision: v.pipe(v.string(), v.regex(/^[0-9a-f]{40}$/, 'not a commit')),
});
export type HubOrigin = v.InferOutput<typeof HubOrigin>;

/** What a coordinator serves of a model: every file, chunk by chunk. Its own hash names the model for good. */
export const ModelManifest = v.pipe(
  v.strictObject({
    version: v.literal(1),
    id: v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,95}$/, 'not a model id')),
    /** For people. */
    name: v.pipe(v.string(), v.minLength(1), v.maxLength(96)),
    chunkBytes: v.pipe(
      v.number(),
      v.integer(),
      v.minValue(MIN_CHUNK_BYTES),
      v.maxValue(MAX_CHUNK_BYTES),
      v.check(isPowerOfTwo, 'not a power of two'),
    ),
    /** Longest sequence that is served, where it is less than the model's own. */
    contextLength: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(2 ** 24))),
    /** Where the same files lie on the hub, for who cannot get them here. */
    origin: v.optional(HubOrigin),
    files: v.pipe(v.array(ManifestFile), v.minLength(1), v.maxLength(MAX_MANIFEST_FILES)),
  }),
  v.check(
    ({ files, chunkBytes }) => files.every((file) => file.chunks.length === Math.ceil(file.size / chunkBytes)),
    'a file does not have as many chunks as its size needs',
  ),
  v.check(({ files }) => new Set(files.map((file) => file.path)).size === files.length, 'a file is listed twice'),
);
export type ModelManifest = v.InferOutput<typeof ModelManifest>;
export type ManifestFile = v.InferOutput<typeof ManifestFile>;

const invalid = (reason: string) => AiloError.of('MANIFEST_INVALID', { reason });

/** Throws MANIFEST_INVALID. */
export function parseManifest(bytes: Uint8Array): ModelManifest {
  if (bytes.length > MAX_MANIFEST_BYTES) throw invalid(`it has ${bytes.length} bytes, more than ${MAX_MANIFEST_BYTES}`);
  return parseJson(ModelManifest, bytes, invalid);
}

/** The one encoding of a manifest: compact JSON with the fields in the schema's order, files by name. */
export function encodeManifest(manifest: ModelManifest): Uint8Array<ArrayBuffer> {
  const { version, id, name, chunkBytes, contextLength } = manifest;
  const origin = manifest.origin && { repo: manifest.origin.repo, revision: manifest.origin.revision };
  const files = [...manifest.files]
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .map(({ path, size, chunks }) => ({ path, size, chunks }));
  return new TextEncoder().encode(JSON.stringify({ version, id, name, chunkBytes, contextLength, origin, files }));
}

/** SHA-256 (hex) of `encodeManifest`'s bytes. */
export function manifestHash(manifest: ModelManifest): Promise<string> {
  return sha256Hex(encodeManifest(manifest));
}

export interface ManifestOptions {
  id: string;
  name: string;
  /** The files to serve. */
  paths: string[];
  chunkBytes?: number;
  contextLength?: number;
  origin?: HubOrigin;
}

/**
 * Hashes the files of a model, holding one chunk at a time. Throws MANIFEST_INVALID (an id or path that the format
 * does not allow) and the source's errors.
 */
export async function buildManifest(
  source: ModelSource,
  { id, name, paths, chunkBytes = DEFAULT_CHUNK_BYTES, contextLength, origin }: ManifestOptions,
  signal?: AbortSignal,
): Promise<ModelManifest> {
  const files: ManifestFile[] = [];
  for (const path of paths) {
    const size = await source.size(path, signal);
    const chunks: string[] = [];
    for (let start = 0; start < size; start += chunkBytes) {
      chunks.push(await sha256Hex(await source.readRange(path, start, Math.min(size, start + chunkBytes), signal)));
    }
    files.push({ path, size, chunks });
  }
  const manifest: ModelManifest = { version: 1, id, name, chunkBytes, files };
  if (contextLength !== undefined) manifest.contextLength = contextLength;
  if (origin !== undefined) manifest.origin = origin;
  return parseManifest(encodeManifest(manifest));
}
