import decodeQR from 'qr/decode.js';
import { describe, expect, it } from 'vitest';
import { encodeAddress } from '../../shared/wallet/address.ts';
import { qrPath } from './qr-path.ts';

const SCALE = 4;

/** What a camera would see: RGBA, dark on light. */
function drawn({ size, path }: { size: number; path: string }) {
  const width = size * SCALE;
  const data = new Uint8Array(width * width * 4).fill(255);
  for (const [, x, y, length] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g)) {
    for (let row = Number(y) * SCALE; row < (Number(y) + 1) * SCALE; row++) {
      const from = (row * width + Number(x) * SCALE) * 4;
      data.fill(0, from, from + Number(length) * SCALE * 4);
      for (let i = from + 3; i < from + Number(length) * SCALE * 4; i += 4) data[i] = 255;
    }
  }
  return { width, height: width, data };
}

describe('the QR code of an address', () => {
  const address = encodeAddress(new Uint8Array(32).fill(7));

  it('reads as the address', () => {
    expect(decodeQR(drawn(qrPath(address)))).toBe(address);
  });

  it('keeps four light modules around it', () => {
    const { size, path } = qrPath(address);
    for (const [, x, y, length] of path.matchAll(/M(\d+) (\d+)h(\d+)/g)) {
      expect(Math.min(Number(x), Number(y))).toBeGreaterThanOrEqual(4);
      expect(Math.max(Number(x) + Number(length), Number(y) + 1)).toBeLessThanOrEqual(size - 4);
    }
  });
});
