/**
 * An answer's body, read no further than `limitBytes`; undefined where it is longer. `Content-Length` is asked first, but
 * is not what counts: a compressed body grows.
 */
export async function readBody(
  response: Response,
  limitBytes: number,
  progress: () => void = () => {},
): Promise<Uint8Array | undefined> {
  if (Number(response.headers.get('content-length') ?? 0) > limitBytes) return undefined;
  const reader = response.body?.getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true };
    if (done || !value) break;
    progress();
    length += value.length;
    if (length > limitBytes) return undefined;
    parts.push(value);
  }
  if (parts.length === 1) return parts[0]!;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
