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
 * The wallet of the file, which is created with new words if there is none. Throws WALLET_FILE_INVALID (which never quotes it), WORDS_INVALID.
 */
export async function openWalletFile(path: string): Promise<Wallet> {
  if ((await readWords(path)) === undefined) await writeWalletFile(path, newWords());
  return readWalletFile(path);
}

/** The wallet of a file that exists. Throws WALLET_FILE_MISSING, WALLET_FILE_INVALID, WORDS_INVALID. */
export async function readWalletFile(path: string): Promise<Wallet> {
  return createWallet(await readWalletWords(path));
}

/** Its twelve words. Throws WALLET_FILE_MISSING, WALLET_FILE_INVALID. */
export async function readWalletWords(path: string): Promise<string> {
  const words = await readWords(path);
  if (words === undefined) throw AiloError.of('WALLET_FILE_MISSING', { path });
  return words;
}

/** Whether the file was made: never half a file, never over another. Throws WALLET_FILE_INVALID. */
export async function writeWalletFile(path: string, words: string): Promise<boolean> {
  const temporary = `${path}.${randomUUID()}`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const content = `${JSON.stringify({ version: 1, words })}\n`;
    await writeFile(temporary, content, { mode: 0o600, flag: 'wx', flush: true });
    await link(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw unusable(path, (error as Error).message);
  } finally {
    await rm(temporary, { force: true });
  }
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
