import { test } from 'vitest';
import { replicaCases } from './cases.ts';
import { memoryStores } from './memory-store.ts';

test.each(replicaCases)('$name', async ({ run }) => {
  const stores = memoryStores();
  await run({ stores: () => stores });
});
