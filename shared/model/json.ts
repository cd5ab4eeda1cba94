import * as v from 'valibot';

/**
 * Untrusted UTF-8 JSON, parsed by schema. `fail` makes the typed error of the file at hand from the first thing that
 * is wrong with it.
 */
export function parseJson<S extends v.GenericSchema>(
  schema: S,
  bytes: Uint8Array,
  fail: (reason: string) => Error,
): v.InferOutput<S> {
  return parseValue(schema, decodeJson(bytes, fail), fail);
}

export function decodeJson(bytes: Uint8Array, fail: (reason: string) => Error): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw fail('it is not JSON');
  }
}

export function parseValue<S extends v.GenericSchema>(
  schema: S,
  value: unknown,
  fail: (reason: string) => Error,
): v.InferOutput<S> {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const issue = result.issues[0];
  const place = v.getDotPath(issue);
  throw fail(place === null ? issue.message : `“${place.slice(0, 100)}”: ${issue.message}`);
}
