/** Stores for tests of the wallet that fail as disks and browsers do. */
import { sealVault } from '../../shared/wallet/vault.ts';
import type { CopyStore } from './wallet-copies.ts';
import { encodeRecord, sealWords, type WalletRecord } from './wallet-record.ts';

/** Of the next writes: nothing is kept, silently; nothing is kept, with an error; it is kept, with an error. */
export type WriteFault = 'not persisted' | 'not persisted and errored' | 'persisted but errored';
export const WRITE_FAULTS: WriteFault[] = ['not persisted', 'not persisted and errored', 'persisted but errored'];

export interface TestStore extends CopyStore {
  content: unknown;
  writeFault?: WriteFault | undefined;
  isUnreadable?: boolean;
}

export function testStore(content?: unknown): TestStore {
  return {
    content,
    async read() {
      if (this.isUnreadable) throw new Error('the disk is on fire');
      return this.content;
    },
    async write(text) {
      const { writeFault } = this;
      if (!writeFault?.startsWith('not')) this.content = text;
      if (writeFault?.endsWith('errored')) throw new Error('the disk is full');
    },
  };
}

export const WORDS = 'legal winner thank year wave sausage worth useful legal winner thank yellow';
export const ADDRESS = 'alc1vmwes70mx3nlf0xvlqqfa0ermck9h09a6rf82e8h9t6ssf6625kqlqqq5m';
export const PASSWORD = 'correct horse';

/** The fewest that a vault may have: tests open many. */
const FEW_ITERATIONS = 100_000;

/** The same bytes each time; different from call to call. */
export function countingRandom(): (length: number) => Uint8Array {
  let next = 0;
  return (length) => new Uint8Array(length).fill(next++);
}

/** A record of WORDS; without a password unless one is given. */
export async function recordOf(change: Partial<WalletRecord> = {}, password?: string): Promise<WalletRecord> {
  const random = countingRandom();
  const sealed =
    password === undefined
      ? await sealWords(WORDS, undefined, random)
      : { vault: await sealVault(WORDS, password, { iterations: FEW_ITERATIONS, random }) };
  return { version: 1, savedMs: 1000, address: ADDRESS, backedUp: false, ...sealed, ...change };
}

export async function textOf(change: Partial<WalletRecord> = {}, password?: string): Promise<string> {
  return encodeRecord(await recordOf(change, password));
}
