/** Everything that arrives is parsed here before anything else sees it. */
import * as v from 'valibot';
import { AiloError } from '../errors/index.ts';
import { Envelope } from './messages.ts';

export type MessageOf<Set> = { [T in keyof Set & string]: { type: T; body: Set[T] } }[keyof Set & string];

/** A closed set of messages. */
export type Accepts<In> = { [T in keyof In]: v.GenericSchema<unknown, In[T]> };

/** Throws MESSAGE_INVALID. */
export function parseEnvelope(raw: unknown): Envelope {
  const parsed = v.safeParse(Envelope, raw);
  if (!parsed.success) throw invalid('envelope', parsed.issues);
  return parsed.output;
}

/** Throws MESSAGE_INVALID for a type that is not in the set, and for a body that is not its type's. */
export function parseMessage<In>(accepts: Accepts<In>, type: string, body: unknown): MessageOf<In> {
  if (!Object.hasOwn(accepts, type)) {
    throw AiloError.of('MESSAGE_INVALID', { type: type.slice(0, 32), reason: 'there is no such message' });
  }
  const parsed = v.safeParse(accepts[type as keyof In], plainBinary(body));
  if (!parsed.success) throw invalid(type, parsed.issues);
  return { type, body: parsed.output } as MessageOf<In>;
}

/**
 * Socket.IO delivers binary as Buffer in Node.js and as ArrayBuffer in browsers: both become plain Uint8Array views
 * (Buffer's `slice` shares memory, which the rest of the code does not expect). Binary stands at the top level only.
 */
function plainBinary(body: unknown): unknown {
  if (typeof body !== 'object' || body === null) return body;
  const binary = (value: unknown) => {
    if (value instanceof ArrayBuffer) return new Uint8Array(value);
    if (value instanceof Uint8Array) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    return value;
  };
  return Object.fromEntries(Object.entries(body).map(([key, value]) => [key, binary(value)]));
}

function invalid(type: string, issues: [v.BaseIssue<unknown>, ...v.BaseIssue<unknown>[]]): AiloError {
  const [issue] = issues;
  const path = v.getDotPath(issue);
  return AiloError.of('MESSAGE_INVALID', {
    type: type.slice(0, 32),
    reason: (path ? `${path}: ${issue.message}` : issue.message).slice(0, 200),
  });
}
