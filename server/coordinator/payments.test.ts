import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { AiloError } from '../../shared/errors/index.ts';
import type { InferenceResult } from '../ledger/types.ts';
import { PAY_ATTEMPTS } from './limits.ts';
import { createPayments } from './payments.ts';

const result = { job: 'a', tokens: 20 } as InferenceResult;
const FAILED = AiloError.of('LEDGER_FAILED', {});
const CONFLICT = AiloError.of('RECEIPT_CONFLICT', { job: 'a' });

/** A ledger that fails as told, then pays; whether what failed was persisted makes no difference to the payer. */
async function payThrough(failures: AiloError[]) {
  const asked: InferenceResult[] = [];
  const ledger = {
    mintInference: async (wanted: InferenceResult) => {
      asked.push(wanted);
      const failure = failures.shift();
      if (failure) throw failure;
      return { transactions: [] };
    },
  };
  const pauses: number[] = [];
  const schedule = (run: () => void, delayMs: number) => {
    pauses.push(delayMs);
    queueMicrotask(run);
    return () => {};
  };
  const payments = createPayments(ledger.mintInference, schedule, pino({ level: 'silent' }));
  payments.pay(result);
  await payments.settled();
  return { asked, pauses };
}

describe('payments', () => {
  test('pay once when all is well', async () => {
    expect(await payThrough([])).toEqual({ asked: [result], pauses: [] });
  });

  test('try the very same again while the ledger cannot be written, with growing pauses', async () => {
    const { asked, pauses } = await payThrough([FAILED, FAILED]);
    expect(asked).toEqual([result, result, result]);
    expect(pauses[1]).toBeGreaterThan(pauses[0]!);
  });

  test('give up after so many attempts, and at once where trying again cannot help', async () => {
    expect((await payThrough(new Array(99).fill(FAILED))).asked).toHaveLength(PAY_ATTEMPTS);
    expect((await payThrough([CONFLICT])).asked).toHaveLength(1);
  });
});
