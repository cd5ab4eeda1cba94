/** The outside vectors of `../shared/vectors`, in Node. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { failures, OUTSIDE_FILES } from './cases.ts';

const folder = new URL('../../../shared/vectors/', import.meta.url);

const missing = !existsSync(folder);
if (missing) console.warn(`Skipping the outside vectors: there is no folder ${folder.pathname}`);

test.skipIf(missing).each(OUTSIDE_FILES)('%s', (path, make, count) => {
  const all = make(JSON.parse(readFileSync(new URL(path, folder), 'utf8')) as never);
  expect(failures(all)).toEqual([]);
  expect(all).toHaveLength(count);
});
