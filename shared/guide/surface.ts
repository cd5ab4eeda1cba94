/** How people type a question: with and without capitals, question marks, greetings and slips of the fingers. */

const OPENINGS = [
  'hi, ',
  'hello, ',
  'hey, ',
  'please tell me, ',
  'tell me: ',
  'sorry, ',
  'ok, ',
  'quick question: ',
  'and ',
];
const CLOSINGS = [' please', ' exactly', ' then', ', thanks'];
/** Words that make a question of what follows. */
const ASKING =
  /^(how|what|why|who|where|when|which|can|could|do|does|did|is|are|will|would|should|may|must|am|has|have)\b/i;

/** One way to type it, drawn from `random` (32-bit integers). */
export function inPassing(wording: string, random: () => number): string {
  const chance = (share: number) => random() / 2 ** 32 < share;
  const one = (of: readonly string[]) => of[random() % of.length]!;
  const asks = ASKING.test(wording);
  let text = wording;
  if (asks && chance(0.08)) text += one(CLOSINGS);
  if (asks && chance(0.12)) text = one(OPENINGS) + text;
  if (chance(0.08)) text = withSlip(text, random);
  if (chance(0.3)) text = text.toLowerCase();
  else if (chance(0.8)) text = text[0]!.toUpperCase() + text.slice(1);
  if (asks && !/[?.!]$/.test(text) && chance(0.65)) text += '?';
  return text;
}

/** Two neighbouring letters change places, or one is missing or doubled. */
function withSlip(text: string, random: () => number): string {
  const at = random() % Math.max(1, text.length - 1);
  const [before, a, b, after] = [text.slice(0, at), text[at]!, text[at + 1] ?? '', text.slice(at + 2)];
  if (!/\p{L}/u.test(a) || !/\p{L}/u.test(b)) return text;
  return before + [b + a, b, a + a + b][random() % 3] + after;
}
