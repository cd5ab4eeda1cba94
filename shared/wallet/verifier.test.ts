import { afterEach, expect, test, vi } from 'vitest';
import { createVerifier, type SignedMessage } from './verifier.ts';
import { SigningKey } from './wallet.ts';

const signers = Array.from({ length: 5 }, (_, i) => new SigningKey(new Uint8Array(32).fill(i + 1)));
const good = (i: number): SignedMessage => {
  const key = signers[i % signers.length]!;
  const message = new TextEncoder().encode(`message ${i}`);
  return { message, publicKey: key.publicKey, signature: key.sign(message) };
};
/** Every third is not what was signed, in one way or another. */
const items = Array.from({ length: 12 }, (_, i) => {
  const item = good(i);
  if (i % 12 === 2) return { ...item, message: item.message.slice(1) };
  if (i % 12 === 5) return { ...item, publicKey: signers[1]!.publicKey };
  if (i % 12 === 8) return { ...item, signature: item.signature.slice(1) };
  if (i % 12 === 11) return { ...item, signature: new Uint8Array(64) };
  return item;
});
const right = items.map((_, i) => i % 3 !== 2);
const { subtle } = globalThis.crypto;

type Subtle = Pick<SubtleCrypto, 'importKey' | 'verify'>;

/** The platform's, with what it is asked written down. */
function watched(change: Partial<Subtle> = {}) {
  const importKey = vi.fn(change.importKey ?? subtle.importKey.bind(subtle)) as unknown as Subtle['importKey'];
  const verify = vi.fn(change.verify ?? subtle.verify.bind(subtle)) as unknown as Subtle['verify'];
  return { importKey, verify };
}

afterEach(() => vi.unstubAllGlobals());

test('has the right verdicts in the right order', async () => {
  const verifier = createVerifier();
  expect(await verifier.verifyAll(items)).toEqual(right);
  expect(await Promise.all(items.map(verifier.verifyOne))).toEqual(right);
  expect(await verifier.verifyAll([])).toEqual([]);
});

const notSupported = () => Promise.reject(new DOMException('Unrecognized name.', 'NotSupportedError'));
test.each<[string, Partial<Subtle>]>([
  ['always says no', { verify: async () => false }],
  ['rejects', { verify: () => Promise.reject(new Error('out of order')) }],
  [
    'throws',
    {
      verify: () => {
        throw new Error('out of order');
      },
    },
  ],
  ['cannot import', { importKey: () => Promise.reject(new DOMException('bad key', 'DataError')) }],
  [
    'throws instead of importing',
    {
      importKey: () => {
        throw new TypeError('no such method');
      },
    },
  ],
  ['has no Ed25519', { importKey: notSupported as never }],
])('is right when WebCrypto %s', async (_, change) => {
  const verifier = createVerifier({ subtle: watched(change) });
  expect(await verifier.verifyAll(items)).toEqual(right);
  expect(await verifier.verifyOne(items[2]!)).toBe(false);
});

test('takes WebCrypto’s yes', async () => {
  const verifier = createVerifier({ subtle: watched({ verify: async () => true }) });
  expect(await verifier.verifyAll(items)).toEqual(items.map(() => true));
});

test('is right where there is no WebCrypto at all', async () => {
  vi.stubGlobal('crypto', undefined);
  expect(await createVerifier().verifyAll(items)).toEqual(right);
});

test('asks no more once it is known that there is no Ed25519', async () => {
  const fake = watched({ importKey: notSupported as never });
  const verifier = createVerifier({ subtle: fake, inFlight: 1 });
  await verifier.verifyAll(items);
  expect(fake.importKey).toHaveBeenCalledTimes(1);
});

test('imports a key once while it is kept, and keeps those used last', async () => {
  const fake = watched();
  const verifier = createVerifier({ subtle: fake, cacheKeys: 2 });
  const ask = async (...keys: number[]) => {
    for (const i of keys) expect(await verifier.verifyOne(good(i))).toBe(true);
  };
  await ask(0, 1, 0, 1, 0);
  expect(fake.importKey).toHaveBeenCalledTimes(2);
  await ask(2, 0);
  expect(fake.importKey).toHaveBeenCalledTimes(3);
  await ask(1);
  expect(fake.importKey).toHaveBeenCalledTimes(4);
});

test('has at most so many operations under way, whoever asks', async () => {
  let [now, most] = [0, 0];
  const slow = watched({
    verify: async (...args) => {
      most = Math.max(most, ++now);
      const verdict = await subtle.verify(...args);
      now--;
      return verdict;
    },
  });
  const verifier = createVerifier({ subtle: slow, inFlight: 3 });
  const all = await Promise.all([verifier.verifyAll(items), verifier.verifyAll(items), verifier.verifyOne(items[0]!)]);
  expect(all).toEqual([right, right, true]);
  expect(most).toBe(3);
});
