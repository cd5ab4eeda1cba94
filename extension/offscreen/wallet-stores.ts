/** Where the wallet's two copies lie: this document's IndexedDB, and `storage.local`, which only the service worker has. */
import * as v from 'valibot';
import type { Notice } from '../messages.ts';
import { type Database, getValue, putValue } from './database.ts';
import type { CopyStore } from './wallet-copies.ts';

/** Its name in both stores. */
export const COPY = 'vault';

export function databaseCopy(database: Database): CopyStore {
  return {
    read: () => getValue(database, COPY),
    write: (text) => putValue(database, COPY, text),
  };
}

/** `notify` asks the service worker, which is woken for it. */
export function extensionCopy(notify: (notice: Notice) => Promise<unknown>): CopyStore {
  const answer = v.strictObject({ text: v.exactOptional(v.unknown()) });
  return {
    async read() {
      // An answer of another form (nobody listened, say) must not pass for “nothing there”.
      return v.parse(answer, await notify({ type: 'readCopy' })).text;
    },
    async write(text) {
      await notify({ type: 'writeCopy', text });
    },
  };
}
