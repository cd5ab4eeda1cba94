import 'fake-indexeddb/auto';
import { test } from 'vitest';
import { replicaCases } from '../../shared/replica/cases.ts';
import { dexieStores } from './dexie-stores.ts';

/** All of them run in Chromium, where IndexedDB is real. */
const FEW = replicaCases.slice(0, 2);

test.each(FEW)('in IndexedDB: $name', async ({ name, run }) => {
  await run({ stores: () => dexieStores(name) });
});
