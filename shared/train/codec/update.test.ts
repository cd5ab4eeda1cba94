import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AiloError } from '../../errors/index.ts';
import { encodeUpdate } from './encode.ts';
import type { UpdateFormat } from './format.ts';
import { FEEDBACK_DECAY } from './limits.ts';
import { type ParameterSpace, spaceValues } from './space.ts';
import { cut, decodeAll, encodeAll, FORMATS, headerOf, joined, randomValues, SPACE, SPARSE } from './testing.ts';

const values = spaceValues(SPACE);
const small: ParameterSpace = [
  { name: 'a', shape: [9, 66] },
  { name: 'b', shape: [5] },
];
const smallValues = spaceValues(small);
/** With the campaign “test-1”. */
const HEADER_BYTES = 122;
const refused = (reason: string) => ({ code: 'UPDATE_INVALID', message: expect.stringContaining(reason) });

describe.each(FORMATS)('$codec, keeping $keep', (format) => {
  it('sends exactly what the error feedback then lacks', async () => {
    const feedback = randomValues(values, 1);
    const delta = randomValues(values, 2);
    const u = delta.map((d, i) => FEEDBACK_DECAY * feedback[i]! + d);
    const bytes = await encodeAll(delta, { format, feedback });
    const sent = await decodeAll([bytes], SPACE, format);
    expect(feedback).toEqual(u.map((value, i) => value - sent[i]!));
    expect(sent.some((value) => value !== 0)).toBe(true);
  });

  it('does not depend on how its input is cut', async () => {
    const delta = randomValues(values, 3);
    const whole = await encodeAll(delta, { format });
    const chunks: Uint8Array[] = [];
    const pieces = cut(delta, 1, 4099, 64);
    for await (const chunk of encodeUpdate(headerOf(), SPACE, format, pieces)) chunks.push(chunk);
    expect(joined(chunks)).toEqual(whole);
    expect(await decodeAll(cut(whole, 1, 2, 1000), SPACE, format)).toEqual(await decodeAll([whole], SPACE, format));
  });

  it('refuses every truncation, and what follows the end', async () => {
    const bytes = await encodeAll(randomValues(smallValues, 4), { space: small, format });
    for (let length = 0; length < bytes.length; length++) {
      await expect(decodeAll([bytes.subarray(0, length)], small, format)).rejects.toMatchObject(refused(''));
    }
    await expect(decodeAll([bytes, new Uint8Array(1)], small, format)).rejects.toMatchObject(refused('follow'));
  });

  it('survives every flipped bit: refused, or values that are finite, in place and in order', async () => {
    const bytes = await encodeAll(randomValues(smallValues, 5), { space: small, format });
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const flipped = bytes.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      await decodeAll([flipped], small, format).catch((error: unknown) => {
        if (!(error instanceof AiloError && error.code === 'UPDATE_INVALID')) throw error;
      });
    }
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('refuses to send %s', async (value) => {
    const delta = randomValues(values, 6);
    delta[4000] = value;
    await expect(encodeAll(delta, { format })).rejects.toMatchObject(refused('not a finite number'));
  });

  it('takes the largest f32 and none at all', async () => {
    const huge = new Float32Array(values).fill(3.4e38);
    await decodeAll([await encodeAll(huge, { format })], SPACE, format);
    const nothing = await decodeAll([await encodeAll(new Float32Array(values), { format })], SPACE, format);
    expect(nothing.every((value) => value === 0)).toBe(true);
  });

  it('refuses an update for another model, another format, another version', async () => {
    const bytes = await encodeAll(randomValues(smallValues, 7), { space: small, format });
    const renamed = [{ name: 'a', shape: [66, 9] }, small[1]!];
    await expect(decodeAll([bytes], renamed, format)).rejects.toMatchObject(refused('another model'));
    const other: UpdateFormat = { codec: 'sparse', keep: 63 };
    await expect(decodeAll([bytes], small, other)).rejects.toMatchObject(refused('format'));
    bytes[7] = 2;
    await expect(decodeAll([bytes], small, format)).rejects.toMatchObject(refused('version 2'));
  });
});

it('keeps an update of the 840M model, 200,692 blocks, below 16.5 MB', async () => {
  const space = [{ name: 'matrix', shape: [640, 640] }];
  const bytes = await encodeAll(randomValues(640 * 640, 8), { space });
  const blocks = bytes.subarray(HEADER_BYTES);
  expect((blocks.length / 100) * 200_692).toBeLessThan(16_500_000);
});

it('wants as many values as the space has', async () => {
  await expect(encodeAll(new Float32Array(values - 1))).rejects.toThrow(RangeError);
  await expect(encodeAll(new Float32Array(values + 1))).rejects.toThrow(RangeError);
});

it('closes its source when it is not wanted any more', async () => {
  let closed = false;
  function* source() {
    try {
      for (;;) yield new Float32Array(1000);
    } finally {
      closed = true;
    }
  }
  let chunks = 0;
  for await (const _ of encodeUpdate(headerOf(), SPACE, SPARSE, source())) if (++chunks === 2) break;
  expect(closed).toBe(true);
});

it('random bytes after a good header never decode to anything out of bounds', async () => {
  const header = (await encodeAll(new Float32Array(smallValues), { space: small })).slice(0, HEADER_BYTES);
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 600 }), async (body) => {
      await decodeAll([header, body], small).catch((error: unknown) => {
        if (!(error instanceof AiloError && error.code === 'UPDATE_INVALID')) throw error;
      });
    }),
    { numRuns: 500 },
  );
});
