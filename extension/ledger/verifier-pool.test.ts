import { MessageChannel } from 'node:worker_threads';
import { afterEach, expect, test } from 'vitest';
import { wallets } from '../../shared/ledger/testing.ts';
import type { SignedMessage } from '../../shared/wallet/verifier.ts';
import type { Port } from '../compute/rpc.ts';
import { packMessages, unpackMessages } from './signed-messages.ts';
import { createVerifierPool, type PoolWorker, serveVerifier } from './verifier-pool.ts';

/** Every fifth is not what was signed. */
const items = Array.from({ length: 100 }, (_, i): SignedMessage => {
  const { publicKey, ...wallet } = { publicKey: wallets[i % 3]!.publicKey, sign: wallets[i % 3]! };
  const message = new TextEncoder().encode(`message ${i}`);
  const signature = wallet.sign.sign(message);
  if (i % 5 === 4) signature[40]! ^= 1;
  return { publicKey, message, signature };
});
const right = items.map((_, i) => i % 5 !== 4);

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** Workers in this process; `broken` ones never answer and say so. */
function workers({ broken = false } = {}) {
  const started: { ended: boolean }[] = [];
  const start = (): PoolWorker => {
    const { port1, port2 } = new MessageChannel();
    for (const port of [port1, port2]) port.start();
    const worker = { ended: false };
    started.push(worker);
    closing.push(() => port1.close());
    if (!broken) serveVerifier(port2 as unknown as Port);
    return {
      port: port1 as unknown as Port,
      terminate() {
        worker.ended = true;
        port1.close();
      },
      onError: (listener) => void (broken && setTimeout(() => listener('it cannot be loaded'), 0)),
    };
  };
  return { start, started };
}

test('messages come out of their buffer as they went in', () => {
  expect(unpackMessages(packMessages(items))).toEqual(items);
  expect(() => packMessages([{ ...items[0]!, signature: new Uint8Array(63) }])).toThrow(RangeError);
});

test('has the right verdicts, and one worker less than there are cores', async () => {
  const { start, started } = workers();
  const pool = createVerifierPool(start, 3);
  const all = await Promise.all(Array.from({ length: 4 }, () => pool.verifyAll(items)));
  expect(all).toEqual([right, right, right, right]);
  expect(started).toHaveLength(2);
  pool.close();
  expect(started.every(({ ended }) => ended)).toBe(true);
});

test('checks a few by itself, and whatever a worker does not answer', async () => {
  const { start, started } = workers({ broken: true });
  const pool = createVerifierPool(start, 2);
  expect(await pool.verifyAll(items.slice(0, 10))).toEqual(right.slice(0, 10));
  expect(started).toHaveLength(0);
  expect(await pool.verifyAll(items)).toEqual(right);
  expect(started).toEqual([{ ended: true }]);
  const odd = [...items.slice(1), { ...items[0]!, signature: new Uint8Array(63) }];
  expect(await pool.verifyAll(odd)).toEqual([...right.slice(1), false]);
  pool.close();
});
