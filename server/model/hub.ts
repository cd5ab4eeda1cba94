/** Models of the Hugging Face hub, at a commit, into a folder. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { AiloError } from '../../shared/errors/index.ts';
import { stallGuard } from '../../shared/model/stall.ts';
import { INDEX_FILE, parseWeightIndex, SINGLE_FILE } from '../../shared/model/weights.ts';
import { download, type RemoteFile } from './download.ts';

export interface HubModel {
  /** `owner/name`. */
  repo: string;
  /** A commit (40 hex digits): a branch could become another model tomorrow. */
  revision: string;
}

export interface HubOptions {
  /** The model's folder is made in it: `owner/revision/name`, so that the folder bears the model's name. */
  dataFolder: string;
  /** `HF_ENDPOINT` and `HF_TOKEN` are read from it. */
  env: Readonly<Record<string, string | undefined>>;
  /** Instead of `HF_TOKEN`; shown to the hub, never to where it redirects. */
  token?: string;
  onProgress?: (path: string, loadedBytes: number, totalBytes: number) => void;
  signal?: AbortSignal;
}

const DEFAULT_ENDPOINT = 'https://huggingface.co';
const REQUIRED = ['config.json', 'tokenizer.json'];
const OPTIONAL = ['generation_config.json', 'tokenizer_config.json', 'chat_template.jinja'];

/**
 * The folder of the model, after downloading what of it is not there yet. Throws MODEL_FILE_MISSING,
 * MODEL_SOURCE_FAILED (also for a repository or revision that is no name), HUB_TOKEN_NEEDED, SAFETENSORS_HEADER_INVALID,
 * CANCELLED.
 */
export async function downloadHubModel(model: HubModel, options: HubOptions): Promise<string> {
  const { repo, revision } = model;
  refuseNoRepository(repo);
  if (!/^[0-9a-f]{40}$/.test(revision)) throw failed(repo, `“${revision}” is no commit`);
  const [owner, name] = repo.split('/') as [string, string];
  const folder = join(options.dataFolder, owner, revision, name);
  const fetchFile = async (path: string): Promise<boolean> => {
    const file = await lookUp(model, path, options);
    if (file === undefined) return false;
    const onProgress = (loaded: number) => options.onProgress?.(path, loaded, file.bytes);
    await download(file, join(folder, path), onProgress, options.signal);
    return true;
  };
  const require = async (path: string): Promise<void> => {
    if (!(await fetchFile(path))) throw AiloError.of('MODEL_FILE_MISSING', { path });
  };
  for (const path of REQUIRED) await require(path);
  for (const path of OPTIONAL) await fetchFile(path);
  if (await fetchFile(SINGLE_FILE)) return folder;
  if (!(await fetchFile(INDEX_FILE))) throw AiloError.of('MODEL_FILE_MISSING', { path: SINGLE_FILE });
  const shardOf = parseWeightIndex(await readFile(join(folder, INDEX_FILE)));
  for (const shard of new Set(Object.values(shardOf))) await require(shard);
  return folder;
}

/** The commit that a branch or tag of a repository is at now. Throws MODEL_SOURCE_FAILED, HUB_TOKEN_NEEDED, CANCELLED. */
export async function commitOf(
  repo: string,
  branch: string,
  options: Pick<HubOptions, 'env' | 'token' | 'signal'>,
): Promise<string> {
  refuseNoRepository(repo);
  if (!/^[\w.-]{1,128}$/.test(branch) || branch.includes('..')) throw failed(repo, `“${branch}” is no revision`);
  const url = `${endpointOf(options)}/api/models/${repo}/revision/${branch}`;
  const guard = stallGuard(options.signal);
  try {
    const response = await fetch(url, { headers: authorization(options), signal: guard.signal });
    refuseStatus(response, repo, repo);
    if (response.status === 404) throw failed(repo, `the hub has no revision “${branch}” of it`);
    const { sha } = v.parse(v.object({ sha: v.pipe(v.string(), v.regex(/^[0-9a-f]{40}$/)) }), await response.json());
    return sha;
  } catch (error) {
    if (error instanceof AiloError) throw error;
    if (options.signal?.aborted) throw AiloError.of('CANCELLED', {}, error);
    throw failed(repo, guard.signal.aborted ? 'the hub does not answer' : reasonOf(error), error);
  } finally {
    guard.done();
  }
}

/**
 * Size and hash of a file, from the hub's own answer (before its redirect to a store, which is signed and expires, so
 * that each download asks for it again). Undefined where there is no such file.
 */
async function lookUp(
  { repo, revision }: HubModel,
  path: string,
  options: HubOptions,
): Promise<RemoteFile | undefined> {
  const url = `${endpointOf(options)}/${repo}/resolve/${revision}/${path}`;
  // A compressed answer would have another length than the file.
  const headers = { 'Accept-Encoding': 'identity', ...authorization(options) };
  const response = await head(url, headers, path, options.signal);
  refuseStatus(response, repo, path);
  if (response.status === 404) return undefined;
  const bytes = Number(response.headers.get('x-linked-size') ?? response.headers.get('content-length') ?? Number.NaN);
  if (!Number.isSafeInteger(bytes) || bytes < 0) throw failed(path, 'the hub does not tell its size');
  const sha256 = /^"?([0-9a-f]{64})"?$/.exec(response.headers.get('x-linked-etag') ?? '')?.[1];
  return { path, url, headers, bytes, ...(sha256 !== undefined && { sha256 }) };
}

function endpointOf({ env }: Pick<HubOptions, 'env'>): string {
  return (env.HF_ENDPOINT || DEFAULT_ENDPOINT).replace(/\/+$/, '');
}

/** fetch keeps it from other origins (Fetch standard, HTTP-redirect fetch). */
function authorization({ env, token = env.HF_TOKEN }: Pick<HubOptions, 'env' | 'token'>): Record<string, string> {
  return token ? { Authorization: `Bearer ${token}` } : {};
}

function refuseStatus({ status }: Response, repo: string, path: string): void {
  if (status === 401 || status === 403) throw AiloError.of('HUB_TOKEN_NEEDED', { repo });
  if (status >= 400 && status !== 404) throw failed(path, `the hub answered with status ${status}`);
}

function refuseNoRepository(repo: string): void {
  if (!/^[\w.-]{1,96}\/[\w.-]{1,96}$/.test(repo) || repo.includes('..')) throw failed(repo, 'it is no repository');
}

/** Follows redirects within the hub (a renamed repository), not those to a store. */
async function head(
  url: string,
  headers: Record<string, string>,
  path: string,
  signal: AbortSignal | undefined,
): Promise<Response> {
  const guard = stallGuard(signal);
  try {
    let response: Response;
    let at = url;
    for (let redirects = 0; ; redirects++) {
      response = await fetch(at, { method: 'HEAD', headers, redirect: 'manual', signal: guard.signal });
      const location = response.headers.get('location');
      if (location === null || response.headers.has('x-linked-size')) return response;
      const target = new URL(location, at);
      if (target.origin !== new URL(url).origin || redirects >= 3) throw new Error('it redirects to somewhere else');
      at = target.href;
    }
  } catch (error) {
    if (signal?.aborted) throw AiloError.of('CANCELLED', {}, error);
    throw failed(path, guard.signal.aborted ? 'the hub does not answer' : reasonOf(error), error);
  } finally {
    guard.done();
  }
}

/** fetch says only “fetch failed”; why is in its cause. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error && cause.message !== '' ? cause.message : message;
}

function failed(path: string, reason: string, cause?: unknown): AiloError {
  return AiloError.of('MODEL_SOURCE_FAILED', { path, reason }, cause);
}
