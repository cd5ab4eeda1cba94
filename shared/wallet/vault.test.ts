import { hexToBytes, randomBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import vectors from '../../tests/vectors/vault.json' with { type: 'json' };
import { MAX_SECRET_BYTES, openVault, sealVault, VAULT_ITERATIONS, type Vault } from './vault.ts';

const fast = { iterations: 100_000, random: randomBytes };
const coded = (code: string) => expect.objectContaining({ code });

describe('vaults that Python made', () => {
  test.each(vectors)('$name: opened, and sealed to the same bytes', async ({ secret, password, vault }) => {
    expect(await openVault(vault, password)).toBe(secret);
    const fixed = [vault.kdf.salt, vault.cipher.iv].map((hex) => hexToBytes(hex));
    const { iterations } = vault.kdf;
    expect(await sealVault(secret, password, { iterations, random: () => fixed.shift()! })).toEqual(vault);
  });
});

test('any text comes back with its password only, and twice sealed is sealed differently', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: 'grapheme', maxLength: 20 }),
      fc.string({ minLength: 8 }),
      async (secret, key) => {
        fc.pre([...key.normalize('NFKC')].length >= 8);
        const [vault, other] = [await sealVault(secret, key, fast), await sealVault(secret, key, fast)];
        expect(await openVault(vault, key)).toBe(secret);
        expect(other.ciphertext).not.toBe(vault.ciphertext);
        await expect(openVault(vault, `${key}!`)).rejects.toThrow(coded('PASSWORD_WRONG'));
      },
    ),
    { numRuns: 10 },
  );
});

test('nothing of it can be changed: not the text, not a parameter', async () => {
  const vault = await sealVault('twelve words', 'correct horse', { ...fast, iterations: 100_001 });
  const flipped = (hex: string) => (hex[0] === '0' ? '1' : '0') + hex.slice(1);
  const changed: Vault[] = [
    { ...vault, ciphertext: flipped(vault.ciphertext) },
    { ...vault, ciphertext: vault.ciphertext.slice(2) },
    { ...vault, kdf: { ...vault.kdf, iterations: 100_000 } },
    { ...vault, kdf: { ...vault.kdf, salt: flipped(vault.kdf.salt) } },
    { ...vault, cipher: { ...vault.cipher, iv: flipped(vault.cipher.iv) } },
  ];
  for (const other of changed) await expect(openVault(other, 'correct horse')).rejects.toThrow(coded('PASSWORD_WRONG'));
});

test('what is no vault is refused before anything is computed, and not quoted', async () => {
  const vault: Vault = await sealVault('twelve words', 'correct horse', fast);
  const refused: unknown[] = [
    undefined,
    'twelve words',
    { ...vault, version: 2 },
    { ...vault, kdf: { ...vault.kdf, iterations: 99_999 } },
    { ...vault, kdf: { ...vault.kdf, iterations: 10_000_001 } },
    { ...vault, kdf: { ...vault.kdf, iterations: 100_000.5 } },
    { ...vault, kdf: { ...vault.kdf, name: 'PBKDF2-SHA-1' } },
    { ...vault, kdf: { ...vault.kdf, salt: vault.kdf.salt.slice(2) } },
    { ...vault, cipher: { ...vault.cipher, iv: vault.cipher.iv.toUpperCase().replace(/^../, 'AB') } },
    { ...vault, ciphertext: '00'.repeat(15) },
    { ...vault, ciphertext: '00'.repeat(MAX_SECRET_BYTES + 17) },
    { ...vault, words: 'twelve words' },
  ];
  for (const other of refused) {
    const opening = openVault(other, 'correct horse');
    await expect(opening).rejects.toThrow(coded('VAULT_INVALID'));
    await expect(opening).rejects.not.toThrow(/twelve|horse/);
  }
});

test('a password has 8 characters at least, however they are encoded', async () => {
  for (const short of ['', '1234567', '👩🏽👩🏽👩🏽', 'e\u0301'.repeat(7)]) {
    await expect(sealVault('', short, fast)).rejects.toThrow(coded('PASSWORD_TOO_SHORT'));
  }
  await expect(sealVault('', '12345678', fast)).resolves.toBeDefined();
});

test('a secret has a limit', async () => {
  await expect(sealVault('x'.repeat(MAX_SECRET_BYTES), 'correct horse', fast)).resolves.toBeDefined();
  await expect(sealVault('x'.repeat(MAX_SECRET_BYTES + 1), 'correct horse', fast)).rejects.toThrow(RangeError);
});

test('without another wish, 900,000 iterations', async () => {
  const vault = await sealVault('twelve words', 'correct horse', { random: randomBytes });
  expect([vault.kdf.iterations, VAULT_ITERATIONS]).toEqual([900_000, 900_000]);
});
