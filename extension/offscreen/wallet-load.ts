/** The wallet of this profile at the start of the browser: found, moved over from an earlier version, or made. */
import { AiloError, toAiloError } from '../../shared/errors/index.ts';
import { createWallet } from '../../shared/wallet/wallet.ts';
import { type CopyStores, loadCopies, saveCopies } from './wallet-copies.ts';
import { sealWords, type WalletRecord } from './wallet-record.ts';

export interface LoadOptions {
  stores: CopyStores;
  /** Words in plain, as earlier versions stored them. */
  plain: { read(): Promise<string | undefined>; remove(): Promise<void> };
  newWords(): string;
  random(length: number): Uint8Array;
  /** Unix milliseconds. */
  now(): number;
}

/**
 * Throws WALLET_UNREADABLE when there is a wallet that cannot be read: a new one never takes its place. Throws
 * WALLET_NOT_STORED when a new one could not be kept: nobody should be paid to it.
 */
export async function loadWallet(options: LoadOptions): Promise<WalletRecord> {
  const { stores, plain } = options;
  const choice = await loadCopies(stores);
  const plainWords = await plain.read();
  if (choice.kind === 'unreadable' && plainWords === undefined) {
    throw AiloError.of('WALLET_UNREADABLE', { reason: choice.reason });
  }
  const record = choice.kind === 'use' ? choice.record : await keep(plainWords ?? options.newWords(), options);
  // A sealed copy holds them by now, and was read back.
  if (plainWords !== undefined && addressOf(plainWords) === record.address) {
    await plain.remove().catch((error) => console.warn('words in plain are removed at the next start', error));
  }
  return record;
}

async function keep(words: string, { stores, random, now }: LoadOptions): Promise<WalletRecord> {
  const address = addressOf(words);
  const sealed = await sealWords(words, undefined, random);
  const record: WalletRecord = { version: 1, savedMs: now(), address, backedUp: false, ...sealed };
  const incomplete = await saveCopies(stores, record);
  if (incomplete) console.warn(incomplete.message);
  return record;
}

function addressOf(words: string): string {
  try {
    return createWallet(words).address;
  } catch (thrown) {
    throw AiloError.of('WALLET_UNREADABLE', { reason: 'its words are damaged' }, toAiloError(thrown));
  }
}
