import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openWalletFile } from './wallet-file.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ailo-wallet-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('openWalletFile', () => {
  it('creates a wallet that only its owner reads, and opens the same again', async () => {
    const path = join(folder, 'deep', 'wallet.json');
    const created = await openWalletFile(path);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(path, 'utf8')).words.split(' ')).toHaveLength(12);
    expect((await openWalletFile(path)).address).toBe(created.address);
    expect(await readdir(join(folder, 'deep'))).toEqual(['wallet.json']);
  });

  it('is one wallet for all who create it at once', async () => {
    const path = join(folder, 'wallet.json');
    const wallets = await Promise.all(Array.from({ length: 5 }, () => openWalletFile(path)));
    expect(new Set(wallets.map(({ address }) => address)).size).toBe(1);
  });

  it.each([
    ['no JSON', 'abandon abandon'],
    ['another version', '{"version":2,"words":"abandon"}'],
    ['wrong words', JSON.stringify({ version: 1, words: `${'abandon '.repeat(11)}abandon` })],
  ])('refuses %s, keeps the file and never quotes it', async (_, content) => {
    const path = join(folder, 'wallet.json');
    await writeFile(path, content);
    const failure = await openWalletFile(path).catch((error) => error);
    expect(failure.code).toMatch(/^(WALLET_FILE|WORDS)_INVALID$/);
    expect(`${failure.message}${failure.cause ?? ''}`).not.toContain('abandon');
    expect(await readFile(path, 'utf8')).toBe(content);
  });

  it('says why a folder cannot be written', async () => {
    const path = join(folder, 'wallet.json', 'inner');
    await writeFile(join(folder, 'wallet.json'), '');
    await expect(openWalletFile(path)).rejects.toMatchObject({ code: 'WALLET_FILE_INVALID' });
  });
});
