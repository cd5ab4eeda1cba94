/** The golden vectors of the update codec: still made by the code, and checked by NumPy where Python has it. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { hexToBytes } from '@noble/hashes/utils.js';
import { expect, test } from 'vitest';
import type { UpdateFormat } from '../../shared/train/codec/format.ts';
import { decodeAll } from '../../shared/train/codec/testing.ts';
import { updateVectors } from './update-vectors.ts';

type Vectors = Awaited<ReturnType<typeof updateVectors>>;
const vectors: Vectors = JSON.parse(readFileSync(new URL('updates.json', import.meta.url), 'utf8'));

test('the code still makes them', async () => {
  expect(JSON.parse(JSON.stringify(await updateVectors()))).toEqual(vectors);
});

test.each(vectors.invalid)('refuses: $name', async ({ bytes }) => {
  const format = vectors.invalidFormat as UpdateFormat;
  const decoded = decodeAll([hexToBytes(bytes)], vectors.invalidSpace, format);
  await expect(decoded).rejects.toMatchObject({ code: 'UPDATE_INVALID' });
});

/** Debian's packages are for Debian's Python, which need not be the first in the path. */
const python = ['/usr/bin/python3', 'python3'].find((command) => {
  try {
    execFileSync(command, ['-c', 'import numpy'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
});
if (python === undefined) console.warn('Skipping the check of updates.json by NumPy: no Python here has it');

test.skipIf(python === undefined)('NumPy makes the same bytes of the same values', () => {
  const script = fileURLToPath(new URL('check-updates.py', import.meta.url));
  expect(execFileSync(python!, [script], { encoding: 'utf8' })).toContain('vectors hold');
});
