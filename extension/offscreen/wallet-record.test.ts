import { describe, expect, it } from 'vitest';
import { openVault } from '../../shared/wallet/vault.ts';
import { createWallet } from '../../shared/wallet/wallet.ts';
import { decodeRecord, encodeRecord } from './wallet-record.ts';
import { ADDRESS, PASSWORD, recordOf, WORDS } from './wallet-testing.ts';

describe('a stored wallet', () => {
  it('comes back, whatever the order of its members was', async () => {
    const record = await recordOf();
    const text = encodeRecord(record);
    expect(decodeRecord(text)).toEqual(record);
    const { vault, ...rest } = record;
    expect(encodeRecord({ vault, ...rest })).toBe(text);
    expect(createWallet(WORDS).address).toBe(ADDRESS);
  });

  it('holds no word in plain, and without a password the key to them', async () => {
    const [open, closed] = [await recordOf(), await recordOf({}, PASSWORD)];
    expect(await openVault(open.vault, open.openKey!)).toBe(WORDS);
    expect(closed.openKey).toBeUndefined();
    expect(await openVault(closed.vault, PASSWORD)).toBe(WORDS);
    expect(encodeRecord(open) + encodeRecord(closed)).not.toMatch(/winner|sausage|yellow|horse/);
  });

  it('is noticed to be damaged, wherever the damage is', async () => {
    const text = encodeRecord(await recordOf());
    for (let at = 0; at < text.length; at += 7) {
      const other = text[at] === '0' ? '1' : '0';
      expect(decodeRecord(text.slice(0, at) + other + text.slice(at + 1)), `at ${at}`).toBeUndefined();
    }
    for (const other of [undefined, 7, '', '{}', WORDS, text.slice(1), text.slice(0, -1), text + ' '.repeat(4096)]) {
      expect(decodeRecord(other)).toBeUndefined();
    }
  });

  it('is not written unless it can be read', async () => {
    const record = await recordOf();
    expect(() => encodeRecord({ ...record, address: 'alc1short' })).toThrow();
    expect(() => encodeRecord({ ...record, savedMs: -1 })).toThrow();
    expect(() => encodeRecord({ ...record, words: WORDS } as never)).toThrow();
  });
});
