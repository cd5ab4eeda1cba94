/**
 * The corpus of the built-in model as people write it. A file holds word lists and entries:
 *
 *     how = how do I|how can I|how to        a list, usable below as {how}
 *     > The answer.                          an entry: its answer, then patterns of questions
 *     {how} {install|set up} Ailo            every choice of the alternatives is a wording
 *     ~ getting Ailo to run                  a pattern that is never trained on, only asked
 *     >* Another answer.                     an entry of which every wording counts, however many there are
 *     # a remark
 */

export interface Entry {
  answer: string;
  /** Distinct, also in small letters, in the order of the patterns. */
  wordings: string[];
  /** Of patterns that are never trained on. */
  unseen: string[];
  /** Whether it may outweigh the others. */
  isBroad: boolean;
}

const LIST = /^(\w+) = (.+)$/;
const ANSWER = /^>(\*?) (.+)$/;
const CHOICE = /\{([^{}]*)\}/;

/** Throws SyntaxError for a pattern without an answer, an unknown list or an entry without a pattern. */
export function parseCorpus(text: string): Entry[] {
  const lists = new Map<string, string>();
  const entries: Entry[] = [];
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const [, name, alternatives] = LIST.exec(line) ?? [];
    if (name !== undefined) {
      lists.set(name, alternatives!);
      continue;
    }
    const [, broad, answer] = ANSWER.exec(line) ?? [];
    if (answer !== undefined) {
      entries.push({ answer, wordings: [], unseen: [], isBroad: broad === '*' });
      continue;
    }
    const entry = entries.at(-1);
    if (!entry) throw new SyntaxError(`a pattern without an answer: ${line}`);
    const isUnseen = line.startsWith('~ ');
    const wordings = expand(isUnseen ? line.slice(2) : line, lists);
    const target = isUnseen ? entry.unseen : entry.wordings;
    for (const wording of wordings) {
      const isKnown = target.some((known) => known.toLowerCase() === wording.toLowerCase());
      if (!isKnown) target.push(wording);
    }
  }
  const empty = entries.find(({ wordings }) => wordings.length === 0);
  if (empty) throw new SyntaxError(`nobody asks for: ${empty.answer}`);
  return entries;
}

/** Every choice of the alternatives in braces, which may hold the name of a list. */
function expand(pattern: string, lists: ReadonlyMap<string, string>): string[] {
  const found = CHOICE.exec(pattern);
  if (!found)
    return [
      pattern
        .replace(/\s+/g, ' ')
        .replace(/ ([,?])/g, '$1')
        .trim(),
    ];
  const [whole, inside] = found;
  const alternatives = inside!.includes('|') ? inside! : lists.get(inside!);
  if (alternatives === undefined) throw new SyntaxError(`there is no list {${inside}}`);
  // A function, since an alternative may hold what `replace` would read as a sign.
  return alternatives.split('|').flatMap((choice) =>
    expand(
      pattern.replace(whole!, () => choice),
      lists,
    ),
  );
}
