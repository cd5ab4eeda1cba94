import { describe, expect, it } from 'vitest';
import { PROTOCOL_VERSION } from '../protocol/limits.ts';
import { verifyAuthentication } from '../wallet/authentication.ts';
import { Wallet } from '../wallet/wallet.ts';
import { answerChallenge, type Resumable, readChallenge, readWelcome } from './handshake.ts';

const wallet = new Wallet(new Uint8Array(32).fill(3));
const challenge = { protocol: PROTOCOL_VERSION, networkId: 'ab'.repeat(32), nonce: 'cd'.repeat(32) };
const client = { kind: 'headless' as const, version: '1' };
const session = 'ee'.repeat(16);
/** Has received 7 messages and still has its own from number 4 on. */
const current: Resumable = { id: session, channel: { received: 7, canAttach: (received) => received >= 3 } };

describe('answerChallenge', () => {
  it('signs the challenge and names the session to go on with', () => {
    const message = answerChallenge(challenge, wallet, current, { client });
    expect(verifyAuthentication(challenge, message)).toBe(wallet.address);
    expect(message).toMatchObject({ client, resume: { session, received: 7 } });
    expect(answerChallenge(challenge, wallet, undefined, { client })).not.toHaveProperty('resume');
  });

  it.each([
    [{ ...challenge, protocol: PROTOCOL_VERSION + 1 }, 'PROTOCOL_UNSUPPORTED'],
    [{ ...challenge, nonce: 'short' }, 'MESSAGE_INVALID'],
    [{ ...challenge, sign: 'this too' }, 'MESSAGE_INVALID'],
    [undefined, 'MESSAGE_INVALID'],
  ])('signs nothing for %o', (raw, code) => {
    expect(() => readChallenge(raw)).toThrow(expect.objectContaining({ code }));
  });
});

describe('readWelcome', () => {
  const welcome = { ok: true, session, received: 3, resumed: true };
  const error = { code: 'SESSION_LOST', message: 'It was lost.' };
  it.each([
    ['the session goes on', welcome, current, { kind: 'resumed', received: 3 }],
    ['the coordinator lacks what we no longer have', { ...welcome, received: 2 }, current, { kind: 'lost' }],
    ['another session', { ...welcome, session: 'dd'.repeat(16) }, current, { kind: 'lost' }],
    ['a session we never had', welcome, undefined, { kind: 'lost' }],
    ['a new session', { ...welcome, received: 0, resumed: false }, current, { kind: 'opened', session, received: 0 }],
    ['a session that was lost', { ok: false, error }, current, { kind: 'lost' }],
    ['the same without one', { ok: false, error }, undefined, { kind: 'refused', error }],
    [
      'a newer error',
      { ok: false, error: { code: 'MOON_PHASE', message: 'Not today.' } },
      current,
      { kind: 'refused', error: { code: 'INTERNAL', message: 'Not today.' } },
    ],
  ])('%s', (_, raw, resumable, outcome) => {
    expect(readWelcome(raw, resumable)).toMatchObject(outcome);
  });

  it('refuses nonsense', () => {
    expect(() => readWelcome({ ok: true }, current)).toThrow(expect.objectContaining({ code: 'MESSAGE_INVALID' }));
  });
});
