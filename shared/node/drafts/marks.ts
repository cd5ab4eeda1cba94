/**
 * Marks tell the last stage which text a row continues, and nobody else: a row that was drafted counts only if the text
 * became what the draft said. They need no agreement on who drafted what and when, so that rows may come late, twice or
 * from a replacement.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { hexToBytes } from '@noble/hashes/utils.js';

/**
 * The mark of the row of `token` after the row marked `before`: 32 bits of SHA-256(key ‖ before ‖ token), little-endian.
 * Rows of the prompt are marked 0. The key is the job's, which only the first and the last stage know: those between must
 * not read the text off the marks. A wrong row passes once in 2^32.
 */
export type NextMark = (before: number, token: number) => number;

export const PROMPT_MARK = 0;

/** @param key 128 bits, hex */
export function markWith(key: string): NextMark {
  const bytes = new Uint8Array(24);
  bytes.set(hexToBytes(key));
  const view = new DataView(bytes.buffer);
  return (before, token) => {
    view.setUint32(16, before, true);
    view.setUint32(20, token, true);
    const hash = sha256(bytes);
    return new DataView(hash.buffer, hash.byteOffset).getUint32(0, true);
  };
}
