/** Writes updates.json anew: `npx tsx tests/vectors/make-updates.ts`. Only when a format was changed on purpose. */
import { writeFileSync } from 'node:fs';
import { updateVectors } from './update-vectors.ts';

writeFileSync(new URL('updates.json', import.meta.url), `${JSON.stringify(await updateVectors(), undefined, 1)}\n`);
