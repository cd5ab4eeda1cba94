/** What the node says to a challenge, and what it makes of the coordinator's answer. Pure. */
import * as v from 'valibot';
import { AiloError, type WireError } from '../errors/index.ts';
import { PROTOCOL_VERSION } from '../protocol/limits.ts';
import { type Authenticate, Authenticated, Challenge } from '../protocol/messages.ts';
import { signAuthentication } from '../wallet/authentication.ts';
import type { SigningKey } from '../wallet/wallet.ts';

/** A session to go on with. */
export interface Resumable {
  id: string;
  channel: { readonly received: number; canAttach(peerReceived: number): boolean };
}

/** Throws PROTOCOL_UNSUPPORTED, and MESSAGE_INVALID for what is no challenge. */
export function readChallenge(raw: unknown): Challenge {
  const challenge = parse(Challenge, raw, 'challenge');
  if (challenge.protocol === PROTOCOL_VERSION) return challenge;
  throw AiloError.of('PROTOCOL_UNSUPPORTED', { theirs: challenge.protocol, ours: PROTOCOL_VERSION });
}

export function answerChallenge(
  challenge: Challenge,
  key: SigningKey,
  current: Resumable | undefined,
  { client }: { client: Authenticate['client'] },
): Authenticate {
  return {
    protocol: PROTOCOL_VERSION,
    ...signAuthentication(key, challenge),
    client,
    ...(current && { resume: { session: current.id, received: current.channel.received } }),
  };
}

export type Welcome =
  | { kind: 'resumed'; received: number }
  | { kind: 'opened'; session: string; received: number; username?: string | undefined }
  /** The old session is gone and the next attempt starts a new one. */
  | { kind: 'lost' }
  | { kind: 'refused'; error: WireError };

/** Throws MESSAGE_INVALID for what is no answer. */
export function readWelcome(raw: unknown, current: Resumable | undefined): Welcome {
  const answer = parse(Authenticated, raw, 'authenticate');
  if (!answer.ok) {
    if (answer.error.code === 'SESSION_LOST' && current) return { kind: 'lost' };
    return { kind: 'refused', error: AiloError.fromWire(answer.error).toWire() };
  }
  const { session, received, resumed, username } = answer;
  if (!resumed) return { kind: 'opened', session, received, username };
  const ours = current?.id === session && current.channel.canAttach(received);
  return ours ? { kind: 'resumed', received } : { kind: 'lost' };
}

function parse<S extends v.GenericSchema>(schema: S, raw: unknown, type: string): v.InferOutput<S> {
  const parsed = v.safeParse(schema, raw);
  if (parsed.success) return parsed.output;
  throw AiloError.of('MESSAGE_INVALID', { type, reason: parsed.issues[0].message.slice(0, 200) });
}
