/** The written check of a backup: whoever can say some of the words, at places nobody knew before, has written them down. */

export const CHECKED_WORDS = 3;

/** So many different places of `count`, from 1, in order. `random`: uniform in [0, 1). */
export function pickPlaces(count: number, random: () => number): number[] {
  const places = Array.from({ length: count }, (_, i) => i + 1);
  while (places.length > CHECKED_WORDS) places.splice(Math.floor(random() * places.length), 1);
  return places;
}

/** The first of the places whose word was given wrong; undefined: all are right. */
export function wrongPlace(words: string[], answers: ReadonlyMap<number, string>): number | undefined {
  for (const [place, answer] of answers) {
    if (answer.trim().toLowerCase() !== words[place - 1]) return place;
  }
  return undefined;
}
