/** For tests: whether a text, or its tokens, can be found in bytes that were sent. */

/** Characters or tokens that nobody sends by chance. */
const PIECE = 12;
const STRIDE = 4;

/**
 * What pieces of a text look like in the encodings in which they could go out: as they are, in hex, in base64 at any
 * offset, and as tokens in JSON, in 8, 16 and 32 bits.
 */
export function tracesOf(text: string, tokens: readonly number[]): string[] {
  const traces: string[] = [];
  for (let at = 0; at + PIECE <= text.length; at += STRIDE)
    traces.push(...ofBytes(Buffer.from(text.slice(at, at + PIECE))));
  for (let at = 0; at + PIECE <= tokens.length; at += STRIDE) {
    const piece = tokens.slice(at, at + PIECE);
    traces.push(piece.join(','));
    traces.push(
      ...ofBytes(Buffer.from(Int32Array.from(piece).buffer)),
      ...ofBytes(Buffer.from(Uint8Array.from(piece))),
    );
    traces.push(...ofBytes(Buffer.from(Uint16Array.from(piece).buffer)));
  }
  return traces;
}

/** The first trace that is in one of the messages (Latin-1 for bytes), or undefined. */
export function findTrace(messages: Iterable<string>, traces: readonly string[]): string | undefined {
  const all = [...messages].join('\n');
  return traces.find((trace) => all.includes(trace));
}

export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

function ofBytes(bytes: Buffer): string[] {
  const base64 = [0, 1, 2].map((offset) =>
    bytes.subarray(offset, offset + 9 * Math.floor((bytes.length - offset) / 9)),
  );
  return [
    bytes.toString('latin1'),
    bytes.toString('hex'),
    ...base64.filter(({ length }) => length > 0).map((piece) => piece.toString('base64')),
  ];
}
