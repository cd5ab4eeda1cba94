/** What a person names as a model on the command line → a folder that holds it. */
import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { AiloError } from '../../shared/errors/index.ts';
import { type CatalogueEntry, inCatalogue } from '../../shared/model/catalogue.ts';
import { localModel } from './built-in.ts';
import { downloadHubModel, type HubOptions } from './hub.ts';
import { progressLines } from './progress.ts';

export interface ResolveOptions {
  print: (line: string) => void;
  signal?: AbortSignal;
  env?: Readonly<Record<string, string | undefined>>;
  /** Where hub models are kept; `~/.ailo/models` without one. */
  modelsFolder?: string;
  /** For the hub, instead of the environment's. */
  token?: string;
}

/** A model of the hub; a `revision` that is no commit yet is a branch or a tag. */
export interface Named {
  repo: string;
  revision?: string;
  entry?: CatalogueEntry;
}

/**
 * `wished` is a folder, `ailo-guide`, or a hub model `owner/name@commit` (the commit may be missing for those of our catalogue, and
 * their names will do), which is downloaded on first use. Throws USAGE for what is neither, and the errors of `downloadHubModel`.
 */
export async function resolveModel(wished: string, options: ResolveOptions): Promise<{ dir: string }> {
  const folder = localModel(wished);
  if (await isFolder(folder)) return { dir: resolve(folder) };
  const { repo, revision } = named(wished);
  if (revision === undefined || !isCommit(revision)) {
    const reason = `There is no folder “${wished}”; for a hub model, add the commit: ${repo}@<40 hex digits>.`;
    throw AiloError.of('USAGE', { reason });
  }
  return { dir: await downloadHubModel({ repo, revision }, hubOptions(options)) };
}

/** A hub model by its repository, `owner/name` or `owner/name@revision`, or its name in our catalogue. Throws USAGE. */
export function named(wished: string): Named {
  const match = /^([\w.-]+(?:\/[\w.-]+?)?)(?:@([\w.-]+))?$/.exec(wished);
  const name = match?.[1] ?? '';
  const entry = inCatalogue(name);
  if (entry && !entry.source) {
    throw AiloError.of('USAGE', { reason: `“${entry.name}” is a shape to plan with: there are no weights of it.` });
  }
  const repo = entry?.source?.repo ?? name;
  if (!/^[^/]+\/[^/]+$/.test(repo) || /^\.{1,2}\//.test(repo)) {
    throw AiloError.of('USAGE', {
      reason: `There is no folder “${wished}”, and it is no hub model owner/name@commit.`,
    });
  }
  const revision = match?.[2] ?? entry?.source?.revision;
  return { repo, ...(revision !== undefined && { revision }), ...(entry && { entry }) };
}

export function isCommit(revision: string): boolean {
  return /^[0-9a-f]{40}$/.test(revision);
}

export function hubOptions({ print, signal, env = process.env, modelsFolder, token }: ResolveOptions): HubOptions {
  return {
    dataFolder: modelsFolder ?? join(homedir(), '.ailo', 'models'),
    env,
    onProgress: progressLines(print, () => performance.now()),
    ...(token !== undefined && { token }),
    ...(signal !== undefined && { signal }),
  };
}

export async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}
