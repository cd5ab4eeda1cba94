/** `ailo wallet …` and `ailo ledger verify`, from the command line, against a real coordinator. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createWallet } from '../../shared/wallet/wallet.ts';
import { type Coordinator, startCoordinator } from '../coordinator/coordinator.ts';

const MAIN = fileURLToPath(new URL('../ailo.mjs', import.meta.url));
const WORDS = 'legal winner thank year wave sausage worth useful legal winner thank yellow';

let folder: string;
let coordinator: Coordinator;
/** A wallet file of its own for each test. */
let file: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ailo-wallet-cli-'));
  coordinator = await startCoordinator({
    dataDir: join(folder, 'coordinator'),
    host: '127.0.0.1',
    port: 0,
    models: [],
    log: pino({ level: 'silent' }),
  });
});
let tests = 0;
beforeEach(() => {
  file = join(folder, `wallet-${tests++}`, 'wallet.json');
});
afterAll(async () => {
  await coordinator?.close();
  await rm(folder, { recursive: true, force: true });
});

async function ailo(args: string[], input = ''): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: 'pipe' });
  child.stdin.end(input);
  const [out, err] = [[] as Buffer[], [] as Buffer[]];
  child.stdout.on('data', (data: Buffer) => out.push(data));
  child.stderr.on('data', (data: Buffer) => err.push(data));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() };
}

const wallet = (...args: string[]) => ailo(['wallet', ...args, '--wallet', file]);

describe('a wallet file', () => {
  it('is made once, readable by its owner only, and shows its words on request', async () => {
    const made = await wallet('new', '--json');
    const { address, path } = JSON.parse(made.stdout);
    expect(path).toBe(file);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const { words } = JSON.parse(await readFile(file, 'utf8'));
    expect(createWallet(words).address).toBe(address);
    expect(made.stdout + made.stderr).not.toContain(words);
    expect((await wallet('show')).stdout.trim()).toBe(address);
    expect((await wallet('show', '--words')).stdout).toContain(words);
    const again = await wallet('new');
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('There is a wallet in')]);
    expect(JSON.parse(await readFile(file, 'utf8')).words).toBe(words);
  });

  it('is restored from words on standard input, however they are spelled', async () => {
    const restored = await ailo(['wallet', 'restore', '--wallet', file, '--json'], `  ${WORDS.toUpperCase()} \n`);
    expect(JSON.parse(restored.stdout).address).toBe(createWallet(WORDS).address);
    const wrong = await ailo(['wallet', 'restore', '--wallet', `${file}2`], `${WORDS.replace('legal', 'eagle')}\n`);
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('not the words of a wallet')]);
    expect(wrong.stderr).not.toContain('eagle');
  });

  it('that is not there is not made by looking', async () => {
    const shown = await wallet('show');
    expect([shown.code, shown.stderr]).toEqual([1, expect.stringContaining('ailo wallet new')]);
    await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('on the ledger', () => {
  it('shows what was verified on this machine', async () => {
    await wallet('new');
    const shown = JSON.parse((await wallet('show', '--url', coordinator.url, '--json')).stdout);
    expect(shown).toMatchObject({ availableMicroAlc: '0', pendingMicroAlc: '0', size: 0 });
  });

  it('refuses to send what is not there, in a sentence', async () => {
    await wallet('new');
    const to = createWallet(WORDS).address;
    const send = ['send', '--url', coordinator.url, '--to', to, '--amount', '1'];
    const sent = await wallet(...send, '--yes');
    expect([sent.code, sent.stderr]).toEqual([1, expect.stringContaining('are needed, but only 0')]);
    expect(await wallet(...send)).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') });
    const stranger = await wallet('send', '--url', coordinator.url, '--to', '@nobody', '--amount', '1', '--yes');
    expect(stranger.stderr).toContain('Nobody has the name “nobody”');
    const amount = await wallet('send', '--url', coordinator.url, '--to', to, '--amount', '1,5', '--yes');
    expect(amount.stderr).toContain('write it in digits');
  });

  it('says that nobody is there', async () => {
    await wallet('new');
    const shown = await wallet('show', '--url', 'http://127.0.0.1:9');
    expect([shown.code, shown.stderr]).toEqual([1, expect.stringContaining('cannot be fetched at the moment')]);
  });
});

describe('ailo ledger verify', () => {
  it('replays from a coordinator and from its folder alike', async () => {
    const from = async (...source: string[]) =>
      JSON.parse((await ailo(['ledger', 'verify', ...source, '--json'])).stdout);
    const expected = { size: 0, minted: '0', burned: '0', treasury: '0', accounts: 0, transfers: 0, ok: true };
    expect(await from('--url', coordinator.url)).toMatchObject(expected);
    expect(await from('--dir', join(folder, 'coordinator'))).toMatchObject(expected);
  });

  it('says what it needs, and what it does not find', async () => {
    expect(await ailo(['ledger', 'verify'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--url or --dir'),
    });
    const nothing = await ailo(['ledger', 'verify', '--dir', join(folder, 'nothing')]);
    expect([nothing.code, nothing.stderr]).toEqual([1, expect.stringContaining('cannot be opened')]);
  });
});
