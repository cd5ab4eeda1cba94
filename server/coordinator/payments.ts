/** Rewards on their way into the ledger. A booking that failed is tried again: the ledger pays for the same work once at most. */
import type { Logger } from 'pino';
import { toAiloError } from '../../shared/errors/index.ts';
import type { Schedule } from '../../shared/protocol/schedule.ts';
import type { MintOutcome } from '../ledger/types.ts';
import { PAY_ATTEMPTS, PAY_RETRY_MS } from './limits.ts';

export interface Payments<R> {
  pay(result: R): void;
  /** When everything begun so far is paid or given up. */
  settled(): Promise<void>;
}

/** `mint` may be called again with the same result. */
export function createPayments<R extends object>(
  mint: (result: R) => Promise<MintOutcome>,
  schedule: Schedule,
  log: Logger,
): Payments<R> {
  const underWay = new Set<Promise<void>>();

  async function attempt(result: R, attemptsLeft: number): Promise<void> {
    try {
      const { unpaid } = await mint(result);
      if (unpaid) log.info({ result, code: unpaid.code }, 'work earned nothing');
    } catch (thrown) {
      const { code } = toAiloError(thrown);
      const again = attemptsLeft > 1 && (code === 'LEDGER_FAILED' || code === 'LEDGER_BUSY');
      log.error({ err: thrown, result, again }, 'work could not be paid');
      if (!again) return;
      await new Promise<void>((resolve) => schedule(resolve, PAY_RETRY_MS * 2 ** (PAY_ATTEMPTS - attemptsLeft)));
      await attempt(result, attemptsLeft - 1);
    }
  }

  return {
    pay(result) {
      const paying = attempt(result, PAY_ATTEMPTS).finally(() => underWay.delete(paying));
      underWay.add(paying);
    },
    async settled() {
      await Promise.all(underWay);
    },
  };
}
