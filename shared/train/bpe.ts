/**
 * A byte-level BPE vocabulary (Sennrich et al. 2016, over bytes as in GPT-2) learned from texts, as a Hugging Face
 * `tokenizer.json`: the special tokens, the 256 bytes, then merges until `vocabSize`. The same for the same texts.
 */
export function bpeTokenizer(texts: readonly string[], specialTokens: readonly string[], vocabSize: number): object {
  const pieces = countPieces(texts);
  const tokens = [...specialTokens, ...BYTE_SIGNS];
  const merges: [string, string][] = [];
  while (tokens.length < vocabSize) {
    const pair = commonestPair(pieces);
    if (!pair) break;
    merges.push(pair);
    const joined = pair.join('');
    if (!tokens.includes(joined)) tokens.push(joined);
    for (const piece of pieces) mergeIn(piece.signs, pair);
  }
  return {
    version: '1.0',
    added_tokens: specialTokens.map((content, id) => ({ id, content, special: true, ...PLAIN })),
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    model: { type: 'BPE', unk_token: null, vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), merges },
  };
}

const PLAIN = { single_word: false, lstrip: false, rstrip: false, normalized: false };

/** GPT-2's: a printable character for each of the 256 bytes. */
const BYTE_SIGNS: readonly string[] = byteSigns();
/** GPT-2's: contractions, words and numbers with the space before them, other signs, spaces. */
const PIECES = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

interface Piece {
  signs: string[];
  count: number;
}

function byteSigns(): string[] {
  const isPrintable = (byte: number) => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(isPrintable(byte) ? byte : next++));
}

function countPieces(texts: readonly string[]): Piece[] {
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const [piece] of text.matchAll(PIECES)) counts.set(piece, (counts.get(piece) ?? 0) + 1);
  }
  const encoder = new TextEncoder();
  return [...counts].map(([piece, count]) => ({
    signs: Array.from(encoder.encode(piece), (byte) => BYTE_SIGNS[byte]!),
    count,
  }));
}

/** The first among equals in the order of code units. Nothing where no pair comes twice. */
function commonestPair(pieces: readonly Piece[]): [string, string] | undefined {
  const counts = new Map<string, number>();
  for (const { signs, count } of pieces) {
    for (let i = 1; i < signs.length; i++) {
      const pair = `${signs[i - 1]} ${signs[i]}`;
      counts.set(pair, (counts.get(pair) ?? 0) + count);
    }
  }
  let [best, most] = ['', 1];
  for (const [pair, count] of counts) {
    if (count > most || (count === most && best !== '' && pair < best)) [best, most] = [pair, count];
  }
  return best === '' ? undefined : (best.split(' ') as [string, string]);
}

function mergeIn(signs: string[], [left, right]: readonly [string, string]): void {
  for (let i = 0; i + 1 < signs.length; i++) {
    if (signs[i] === left && signs[i + 1] === right) signs.splice(i, 2, left + right);
  }
}
