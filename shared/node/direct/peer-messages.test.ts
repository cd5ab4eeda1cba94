import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_FRAME_BYTES, MAX_PEER_MESSAGE_BYTES } from '../../protocol/limits.ts';
import { decodePeerMessage, encodePeerMessage } from './peer-messages.ts';

const job = '7a'.repeat(16);
const raw = (head: string, data: number[] = []) => {
  const bytes = new TextEncoder().encode(head);
  return Uint8Array.of(bytes.length & 255, bytes.length >> 8, ...bytes, ...data);
};

describe('messages between neighbours', () => {
  it('come back as they were, the largest frame too', () => {
    const data = new Uint8Array(MAX_FRAME_BYTES).fill(3);
    const encoded = encodePeerMessage('frame', { job, epoch: 2 ** 16, more: true, data });
    expect(encoded.length).toBeLessThanOrEqual(MAX_PEER_MESSAGE_BYTES);
    expect(decodePeerMessage(encoded)).toEqual({ type: 'frame', body: { job, epoch: 2 ** 16, more: true, data } });
    for (const [type, body] of [
      ['has', { job, epoch: 0, rows: 7 }],
      ['ping', { n: 5 }],
      ['pong', { n: 5 }],
    ] as const) {
      expect(decodePeerMessage(encodePeerMessage(type, body as never))).toEqual({ type, body });
    }
  });

  it.each([
    ['nothing', new Uint8Array(0)],
    ['a head that is longer than the message', Uint8Array.of(9, 0, 123, 125)],
    ['a head that is no JSON', raw('{"type":')],
    ['a head that is no object', raw('7')],
    ['a type that is not in the set', raw('{"type":"token","n":1}')],
    ['a type of Object', raw('{"type":"constructor"}')],
    ['a field too many', raw('{"type":"ping","n":1,"m":1}')],
    ['a frame without bytes', raw(`{"type":"frame","job":"${job}","epoch":0}`)],
    ['bytes that belong to no frame', raw('{"type":"ping","n":1}', [1])],
    ['bytes that are not bytes', raw(`{"type":"frame","job":"${job}","epoch":0,"data":[1,2]}`)],
    ['more than may be said at once', new Uint8Array(MAX_PEER_MESSAGE_BYTES + 1)],
  ])('refuses %s', (_, bytes) => {
    expect(() => decodePeerMessage(bytes)).toThrow(expect.objectContaining({ code: 'MESSAGE_INVALID' }));
  });

  it('throws nothing else, whatever arrives', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        try {
          decodePeerMessage(bytes);
        } catch (error) {
          expect(error).toMatchObject({ code: 'MESSAGE_INVALID' });
        }
      }),
    );
  });
});
