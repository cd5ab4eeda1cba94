/** A model that the coordinator serves: checked as a whole before anybody is asked to hold a part of it. */
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { sha256Hex } from '../../shared/bytes/sha256.ts';
import { record } from '../../shared/graph/stage.ts';
import { tensorsOf } from '../../shared/graph/tensors.ts';
import { units } from '../../shared/graph/units.ts';
import { loadConfig } from '../../shared/model/config.ts';
import {
  buildManifest,
  encodeManifest,
  type HubOrigin,
  type ModelManifest,
  parseManifest,
} from '../../shared/model/manifest.ts';
import { loadTextCodec } from '../../shared/model/text.ts';
import type { ModelConfig, ModelSource, WeightReader } from '../../shared/model/types.ts';
import { openWeights } from '../../shared/model/weights.ts';
import { folderSource } from '../model/folder-source.ts';

export interface ModelOptions {
  /** A folder in Hugging Face layout. */
  dir: string;
  /** The folder's name without one, as far as it can be part of an address. */
  id?: string;
  /** For people; the id without one. */
  name?: string;
  /** Longest sequence (tokens) to serve; at most the model's own. */
  contextLength?: number;
  /** Where the folder's files came from. */
  origin?: HubOrigin;
}

export interface ServedModel {
  id: string;
  name: string;
  folder: string;
  config: ModelConfig;
  contextLength: number;
  /** Whether it has a chat template. */
  chat: boolean;
  manifest: ModelManifest;
  /** The bytes whose SHA-256 is `manifestHash`. */
  manifestBytes: Uint8Array<ArrayBuffer>;
  manifestHash: string;
}

/** Serving all of a long context would take most of a node's memory for KV caches. */
const DEFAULT_CONTEXT_LENGTH = 2048;
/** As the protocol's ModelId. */
const MAX_ID_LENGTH = 96;

/**
 * Reads a model's configuration, tokenizer and the headers of its weights, and hashes its files unless `cacheFolder`
 * knows the manifest of exactly these. Throws the errors of a model that can't be served.
 */
export async function openModel(
  { dir, id = idOf(dir), name = id, ...options }: ModelOptions,
  cacheFolder: string,
  signal?: AbortSignal,
): Promise<ServedModel> {
  const folder = resolve(dir);
  const { source, paths } = recording(folderSource(folder));
  const config = await loadConfig(source, signal);
  requireTensors(config, await openWeights(source, signal));
  const { hasChatTemplate: chat } = await loadTextCodec(source, signal);
  const contextLength = Math.min(options.contextLength ?? DEFAULT_CONTEXT_LENGTH, config.maxPositions);
  const origin = options.origin && { origin: options.origin };
  const wanted = { folder, id, name, contextLength, paths: [...paths].sort(), ...origin };
  const manifest = await cached(cacheFolder, wanted, (wanted) => buildManifest(source, wanted, signal));
  const manifestBytes = encodeManifest(manifest);
  const manifestHash = await sha256Hex(manifestBytes);
  return { id, name, folder, config, contextLength, chat, manifest, manifestBytes, manifestHash };
}

function idOf(dir: string): string {
  const name = basename(resolve(dir)).replace(/[^A-Za-z0-9._-]+/g, '-');
  return name.replace(/^[^A-Za-z0-9]+/, '').slice(0, MAX_ID_LENGTH) || 'model';
}

/** Throws TENSOR_MISSING unless everything that the model's graph asks for is there. */
function requireTensors(config: ModelConfig, weights: WeightReader): void {
  for (const { recipe } of record(config, units(config), { quant: 'f32', contextLength: 1 }).graph.weights) {
    for (const name of tensorsOf(recipe)) weights.info(name);
  }
}

/** A source that remembers which files were there when asked for: what reads a model is the judge of what it needs. */
function recording(source: ModelSource): { source: ModelSource; paths: Set<string> } {
  const paths = new Set<string>();
  const noting = async <T>(path: string, reading: Promise<T>): Promise<T> => {
    const result = await reading;
    paths.add(path);
    return result;
  };
  return {
    paths,
    source: {
      readFile: (path, limitBytes, signal) => noting(path, source.readFile(path, limitBytes, signal)),
      readRange: (path, start, end, signal) => noting(path, source.readRange(path, start, end, signal)),
      size: (path, signal) => noting(path, source.size(path, signal)),
    },
  };
}

interface Wanted {
  folder: string;
  id: string;
  name: string;
  contextLength: number;
  paths: string[];
  origin?: HubOrigin;
}

/** The manifest made from files of the same names, sizes and times, or a new one. */
async function cached(
  cacheFolder: string,
  wanted: Wanted,
  build: (wanted: Wanted) => Promise<ModelManifest>,
): Promise<ModelManifest> {
  const stats = await Promise.all(wanted.paths.map((path) => stat(join(wanted.folder, path))));
  const key = JSON.stringify([wanted, stats.map(({ size, mtimeMs }) => [size, mtimeMs])]);
  const path = join(cacheFolder, `${await sha256Hex(new TextEncoder().encode(key))}.json`);
  try {
    return parseManifest(await readFile(path));
  } catch {
    // Not there, or not whole: the same to us.
  }
  const manifest = await build(wanted);
  await mkdir(cacheFolder, { recursive: true });
  await writeFile(`${path}.part`, encodeManifest(manifest));
  await rename(`${path}.part`, path);
  return manifest;
}
