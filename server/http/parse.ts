/** Parameters, queries and bodies by schema. */
import * as v from 'valibot';
import { AiloError } from '../../shared/errors/index.ts';

/** A decimal of the path or query. */
export function wholeNumber(min: number, max: number) {
  return v.pipe(v.string(), v.regex(/^[0-9]{1,15}$/), v.transform(Number), v.minValue(min), v.maxValue(max));
}

/** Throws REQUEST_INVALID. */
export function parse<S extends v.GenericSchema>(schema: S, value: unknown): v.InferOutput<S> {
  const parsed = v.safeParse(schema, value, { abortEarly: true });
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw AiloError.of('REQUEST_INVALID', { reason: `${v.getDotPath(issue) ?? 'it'}: ${issue.message}`.slice(0, 200) });
}
