/**
 * The token by which the hub knows who accepted a model's terms: sealed in the data folder, the key beside it in a file
 * that only its owner reads. That keeps it out of plain sight and out of copies of the folder's other files, not from who
 * can read both.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AiloError } from '../../shared/errors/index.ts';
import { openVault, sealVault } from '../../shared/wallet/vault.ts';

const KEY_BYTES = 32;
/** The key is random already: there is nothing to slow down. */
const ITERATIONS = 100_000;

/** Undefined where none is kept. Throws HUB_TOKEN_INVALID for what cannot be opened. */
export async function readHubToken(dataDir: string): Promise<string | undefined> {
  const [sealed, key] = await Promise.all([readIfThere(sealedAt(dataDir)), readIfThere(keyAt(dataDir))]);
  if (sealed === undefined) return undefined;
  try {
    return await openVault(JSON.parse(sealed), key ?? '');
  } catch {
    // Neither the file nor what is wrong with it is quoted.
    throw AiloError.of('HUB_TOKEN_INVALID', { reason: `what is kept in ${sealedAt(dataDir)} cannot be opened` });
  }
}

/** Throws HUB_TOKEN_INVALID for what no hub gave out. */
export async function keepHubToken(dataDir: string, token: string): Promise<void> {
  const checked = checkedToken(token);
  await mkdir(dataDir, { recursive: true });
  const key = randomBytes(KEY_BYTES).toString('hex');
  const sealed = await sealVault(checked, key, { iterations: ITERATIONS, random: randomBytes });
  // The key first: a seal without its key would be an error, a key without its seal is nothing.
  await rm(sealedAt(dataDir), { force: true });
  await replace(keyAt(dataDir), key);
  await replace(sealedAt(dataDir), JSON.stringify(sealed));
}

export async function forgetHubToken(dataDir: string): Promise<void> {
  for (const path of [sealedAt(dataDir), keyAt(dataDir)]) await rm(path, { force: true });
}

/** What may go into a header. Throws HUB_TOKEN_INVALID. */
export function checkedToken(token: string): string {
  const trimmed = token.trim();
  if (/^[\x21-\x7e]{1,512}$/.test(trimmed)) return trimmed;
  throw AiloError.of('HUB_TOKEN_INVALID', { reason: 'it is empty, too long, or has characters that no token has' });
}

function sealedAt(dataDir: string): string {
  return join(dataDir, 'hub-token.json');
}

function keyAt(dataDir: string): string {
  return join(dataDir, 'hub-token.key');
}

async function replace(path: string, content: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}`;
  try {
    await writeFile(temporary, `${content}\n`, { mode: 0o600, flag: 'wx', flush: true });
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw AiloError.of('HUB_TOKEN_INVALID', { reason: (error as Error).message });
  }
}
