/** The wallet's two copies, in two stores: losing one of them, or being interrupted while writing, loses nothing. */
import { AiloError } from '../../shared/errors/index.ts';
import { decodeRecord, encodeRecord, type WalletRecord } from './wallet-record.ts';

export interface CopyStore {
  /** What lies there; undefined: nothing. Rejects when nobody can tell. */
  read(): Promise<unknown>;
  write(text: string): Promise<void>;
}
/** The first is written first. */
export type CopyStores = readonly [CopyStore, CopyStore];

export type Copy =
  | { kind: 'missing' }
  | { kind: 'damaged' }
  /** The store did not answer. */
  | { kind: 'unread'; reason: string }
  | { kind: 'good'; text: string; record: WalletRecord };

export type Choice =
  /** Nothing was ever stored. */
  | { kind: 'none' }
  /** Something is there, or may be: no place for a new wallet. */
  | { kind: 'unreadable'; reason: string }
  /** `mend`: which copy (0 or 1) has to be written again. */
  | { kind: 'use'; record: WalletRecord; mend?: 0 | 1 };

/** The newer good copy. The other is mended, unless nobody knows what it is. */
export function chooseCopy([first, second]: readonly [Copy, Copy]): Choice {
  if (first.kind === 'good' && second.kind === 'good') {
    const isFirst = first.record.savedMs >= second.record.savedMs;
    const { record } = isFirst ? first : second;
    return { kind: 'use', record, ...(first.text !== second.text && { mend: isFirst ? 1 : 0 }) };
  }
  if (first.kind === 'good') return { kind: 'use', record: first.record, ...(second.kind !== 'unread' && { mend: 1 }) };
  if (second.kind === 'good')
    return { kind: 'use', record: second.record, ...(first.kind !== 'unread' && { mend: 0 }) };
  const unread = [first, second].find((copy) => copy.kind === 'unread');
  if (unread) return { kind: 'unreadable', reason: unread.reason };
  if (first.kind === 'damaged' || second.kind === 'damaged') return { kind: 'unreadable', reason: 'it is damaged' };
  return { kind: 'none' };
}

/** Reads both copies and mends what can be mended; what cannot is tried again with the next start. */
export async function loadCopies(stores: CopyStores): Promise<Choice> {
  const [first, second] = await Promise.all(stores.map(look));
  const choice = chooseCopy([first!, second!]);
  if (choice.kind === 'use' && choice.mend !== undefined) {
    await persist(stores[choice.mend], encodeRecord(choice.record)).catch((error) =>
      console.warn('a copy of the wallet could not be mended', error),
    );
  }
  return choice;
}

/**
 * Stores a record in both places, one after the other, so that a crash leaves a good copy. Throws WALLET_NOT_STORED when
 * the first does not have it: then nothing changed. Returns WALLET_STORED_ONCE when only the first has it.
 */
export async function saveCopies([first, second]: CopyStores, record: WalletRecord): Promise<AiloError | undefined> {
  const text = encodeRecord(record);
  try {
    await persist(first, text);
  } catch (error) {
    throw AiloError.of('WALLET_NOT_STORED', { reason: reasonOf(error) }, error);
  }
  try {
    await persist(second, text);
  } catch (error) {
    return AiloError.of('WALLET_STORED_ONCE', { reason: reasonOf(error) }, error);
  }
  return undefined;
}

/** What counts is what lies there afterwards: writing may fail although it worked, and work although nothing is kept. */
async function persist(store: CopyStore, text: string): Promise<void> {
  let failure: unknown = new Error('it was gone when it was read back');
  await store.write(text).catch((thrown) => {
    failure = thrown;
  });
  if ((await store.read()) !== text) throw failure;
}

async function look(store: CopyStore): Promise<Copy> {
  try {
    const text = await store.read();
    if (text === undefined) return { kind: 'missing' };
    const record = decodeRecord(text);
    return record ? { kind: 'good', text: text as string, record } : { kind: 'damaged' };
  } catch (error) {
    return { kind: 'unread', reason: reasonOf(error) };
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
