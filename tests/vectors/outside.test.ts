/** The outside vectors of `../shared/vectors`, in Node. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as cases from './cases.ts';

const folder = new URL('../../../shared/vectors/', import.meta.url);

/** File, its cases, and how many there must be: a file that was cut short must not pass. */
const FILES: [path: string, make: (json: never) => cases.Case[], count: number][] = [
  ['ed25519/wycheproof.json', cases.wycheproofCases, 151],
  ['ed25519/speccheck.json', cases.speccheckCases, 24],
  ['ed25519/zip215.json', cases.zip215Cases, 196],
  ['bip39/trezor.json', cases.bip39Cases, 72],
  ['slip-0010/ed25519.json', cases.slip10Cases, 12],
  ['bech32m/bitcoinjs.json', cases.bech32mCases, 63],
  ['rfc6962/inclusion.json', cases.inclusionCases, 98],
  ['rfc6962/consistency.json', cases.consistencyCases, 98],
  ['rfc6962/subtreeinclusion.json', cases.subtreeInclusionCases, 204],
  ['rfc6962/subtreeconsistency.json', cases.subtreeConsistencyCases, 118],
];

const missing = !existsSync(folder);
if (missing) console.warn(`Skipping the outside vectors: there is no folder ${folder.pathname}`);

test.skipIf(missing).each(FILES)('%s', (path, make, count) => {
  const all = make(JSON.parse(readFileSync(new URL(path, folder), 'utf8')) as never);
  expect(cases.failures(all)).toEqual([]);
  expect(all).toHaveLength(count);
});
