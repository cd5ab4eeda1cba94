import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Entry, parseCorpus } from '../../shared/guide/corpus.ts';

const FOLDER = new URL('../../shared/guide/corpus/', import.meta.url);
/** Of the choice of wordings, so that what was held aside stays aside. */
export const CORPUS_SEED = 1;

/** The built-in model's corpus, its files in the order of their names. */
export async function readCorpus(): Promise<Entry[]> {
  const names = (await readdir(FOLDER)).filter((name) => name.endsWith('.txt')).sort();
  const texts = await Promise.all(names.map((name) => readFile(fileURLToPath(new URL(name, FOLDER)), 'utf8')));
  return parseCorpus(texts.join('\n'));
}
