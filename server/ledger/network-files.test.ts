import { chmod, mkdtemp, readdir, readFile, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openNetworkFiles } from './network-files.ts';

const founding = { name: 'test', now: () => 1_767_225_600_000 };
const unusable = { code: 'NETWORK_FILES_UNUSABLE' };
let folder: string;

beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'ailo-network-')), 'data');
});
afterEach(() => rm(join(folder, '..'), { recursive: true }));

test('founds a network once and finds it again', async () => {
  const first = await openNetworkFiles(folder, founding);
  expect(await openNetworkFiles(folder, { name: 'another', now: () => 0 })).toMatchObject({
    networkId: first.networkId,
    genesis: first.genesis,
    networkKey: { publicKey: first.networkKey.publicKey },
  });
  expect(first.genesis).toMatchObject({ name: 'test', timeMs: founding.now() });
  expect(first.networkId).toBe(bytesToHex(sha256(await readFile(join(folder, 'genesis.json')))));
  expect(await readdir(folder)).toEqual(['genesis.json', 'network.key']);
});

test('the key is for its owner only, and another folder has another key', async () => {
  const first = await openNetworkFiles(folder, founding);
  expect((await stat(join(folder, 'network.key'))).mode & 0o777).toBe(0o600);
  const other = await openNetworkFiles(join(folder, 'other'), founding);
  expect(other.networkId).not.toBe(first.networkId);
  await chmod(join(folder, 'network.key'), 0o644);
  await expect(openNetworkFiles(folder, founding)).rejects.toMatchObject(unusable);
});

test('a genesis file without its key, or with another, is refused and left alone', async () => {
  await openNetworkFiles(folder, founding);
  const genesis = await readFile(join(folder, 'genesis.json'));
  await writeFile(join(folder, 'network.key'), `${'42'.repeat(32)}\n`, { mode: 0o600 });
  const refusal = await openNetworkFiles(folder, founding).catch((error: Error) => error);
  expect(refusal).toMatchObject(unusable);
  expect(String(refusal)).not.toContain('4242');
  await unlink(join(folder, 'network.key'));
  await expect(openNetworkFiles(folder, founding)).rejects.toMatchObject(unusable);
  expect(await readFile(join(folder, 'genesis.json'))).toEqual(genesis);
});

test('a key without a genesis file, as a crash between the two leaves it, founds the network', async () => {
  const { networkKey } = await openNetworkFiles(folder, founding);
  await unlink(join(folder, 'genesis.json'));
  await writeFile(join(folder, 'genesis.json.partial'), 'half');
  const again = await openNetworkFiles(folder, founding);
  expect(again.networkKey.publicKey).toEqual(networkKey.publicKey);
});

test.each(['', 'nonsense', '42'.repeat(31)])('a key file that holds %j is refused', async (content) => {
  await openNetworkFiles(folder, founding);
  await writeFile(join(folder, 'network.key'), content);
  await expect(openNetworkFiles(folder, founding)).rejects.toMatchObject(unusable);
});

test('a changed genesis file is refused', async () => {
  await openNetworkFiles(folder, founding);
  const path = join(folder, 'genesis.json');
  await writeFile(path, `${await readFile(path, 'utf8')}\n`);
  await expect(openNetworkFiles(folder, founding)).rejects.toMatchObject({ code: 'GENESIS_INVALID' });
});

test('a test network may differ in its parameters', async () => {
  const adjust = (genesis: Awaited<ReturnType<typeof openNetworkFiles>>['genesis']) => ({
    ...genesis,
    inference: { ...genesis.inference, latencyBonusMicroAlc: '0' },
  });
  const { genesis } = await openNetworkFiles(folder, { ...founding, adjust });
  expect(genesis.inference.latencyBonusMicroAlc).toBe('0');
});
