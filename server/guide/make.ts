/**
 * What the built-in model is trained on, made anew from its corpus: `npx tsx server/guide/make.ts DIR` writes
 * DIR/dialogues.jsonl for `ailo train --data` and DIR/tokenizer for `--tokenizer`.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Dialogue, dialoguesOf } from '../../shared/guide/dialogues.ts';
import { guideTokenizer } from '../../shared/guide/tokenizer.ts';
import { CORPUS_SEED, readCorpus } from './corpus.ts';

const folder = process.argv[2];
if (folder === undefined) throw new Error('usage: npx tsx server/guide/make.ts DIR');
const { training, validation } = dialoguesOf(await readCorpus(), CORPUS_SEED);
const tokenizer = join(folder, 'tokenizer');
await mkdir(tokenizer, { recursive: true });
// `ailo train` validates on the last tenth, so that is what is held aside.
await writeFile(join(folder, 'dialogues.jsonl'), [...training, ...validation].map(line).join(''));
for (const [name, json] of Object.entries(guideTokenizer(training))) {
  await writeFile(join(tokenizer, name), `${JSON.stringify(json)}\n`);
}
console.log(`${training.length} dialogues to learn, ${validation.length} held aside.`);

function line({ question, answer }: Dialogue): string {
  const messages = [
    { role: 'user', content: question },
    { role: 'assistant', content: answer },
  ];
  return `${JSON.stringify({ messages })}\n`;
}
