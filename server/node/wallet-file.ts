/** A headless node's wallet: twelve words in a file that only its owner reads. */
import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as v from 'valibot';
import { AiloError } from '../../shared/errors/index.ts';
import { createWallet, type Wallet } from '../../shared/wallet/wallet.ts';
import { newWords } from '../../shared/wallet/words.ts';

const WalletFile = v.strictObject({ version: v.literal(1), words: v.string() });

/**
 * The wallet of the file, which is created with new words if there is none: never half a file, never over a file of
 * somebody who was faster. Throws WALLET_FILE_INVALID (which never quotes it), WORDS_INVALID.
 */
export async function openWalletFile(path: string): Promise<Wallet> {
  const existing = await readWords(path);
  if (existing !== undefined) return createWallet(existing);
  const temporary = `${path}.${randomUUID()}`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const content = `${JSON.stringify({ version: 1, words: newWords() })}\n`;
    await writeFile(temporary, content, { mode: 0o600, flag: 'wx', flush: true });
    await link(temporary, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unusable(path, (error as Error).message);
  } finally {
    await rm(temporary, { force: true });
  }
  return createWallet((await readWords(path)) ?? '');
}

async function readWords(path: string): Promise<string | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unusable(path, (error as Error).message);
  }
  // No cause is kept: a JSON error quotes what it could not read.
  try {
    return v.parse(WalletFile, JSON.parse(text)).words;
  } catch {
    throw unusable(path, 'it is not a wallet file of version 1');
  }
}

function unusable(path: string, reason: string): AiloError {
  return AiloError.of('WALLET_FILE_INVALID', { path, reason });
}
