/**
 * Makes ledger.json: golden vectors of our own formats, for every implementation in every language.
 * `npx tsx tests/vectors/make-ledger.ts` writes it again; a test notices when it would change. It only ever grows:
 * changing what is in it means that ledgers in use can't be read any more.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ledgerVectors } from './ledger-vectors.ts';

const path = fileURLToPath(new URL('ledger.json', import.meta.url));
writeFileSync(path, `${JSON.stringify(ledgerVectors(), null, 1)}\n`);
