/** Masks: words modulo 2^32 that a 32-byte seed expands to, AES-256 in counter mode over zeros. */

const BLOCK_BYTES = 16;
/** Words that are expanded at once, so that a mask is never in memory whole. */
const PIECE_WORDS = 2 ** 18;

/** Adds the seed's mask to the words, or with −1 takes it away. The seed must serve for one mask only. */
export async function addMask(words: Uint32Array, seed: Uint8Array, sign: 1 | -1): Promise<void> {
  const key = await crypto.subtle.importKey('raw', seed.slice(), 'AES-CTR', false, ['encrypt']);
  for (let start = 0; start < words.length; start += PIECE_WORDS) {
    const piece = words.subarray(start, start + PIECE_WORDS);
    const mask = await keystream(key, (4 * start) / BLOCK_BYTES, 4 * piece.length);
    if (sign > 0) for (let i = 0; i < piece.length; i++) piece[i]! += mask[i]!;
    else for (let i = 0; i < piece.length; i++) piece[i]! -= mask[i]!;
  }
}

/** `length` bytes from block `block` on, as little-endian words (every machine that runs this is one). */
async function keystream(key: CryptoKey, block: number, length: number): Promise<Uint32Array> {
  const counter = new Uint8Array(BLOCK_BYTES);
  new DataView(counter.buffer).setUint32(BLOCK_BYTES - 4, block);
  const stream = await crypto.subtle.encrypt({ name: 'AES-CTR', counter, length: 32 }, key, new Uint8Array(length));
  return new Uint32Array(stream);
}
