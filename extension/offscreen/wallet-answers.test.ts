import { describe, expect, it } from 'vitest';
import { AiloError } from '../../shared/errors/index.ts';
import type { TransactionDetail, WalletService } from '../../shared/replica/wallet-types.ts';
import { walletAnswers } from './wallet-answers.ts';

const HASH = 'a'.repeat(64);
const transaction = { hash: HASH, from: 'alc1ada', to: 'alc1nobody' } as TransactionDetail;
const reward = { hash: 'b'.repeat(64), to: 'alc1ada' } as TransactionDetail;

/** Answers from two transactions, and remembers what it was asked to do. */
function serviceOf() {
  const asked: unknown[] = [];
  const service: Partial<WalletService> = {
    async history(page) {
      asked.push(page);
      return { transactions: [transaction, reward], next: 4 };
    },
    transaction: async (hash) => (hash === HASH ? transaction : undefined),
    async resolve(address) {
      if (address === 'alc1nobody') throw AiloError.of('PUBLIC_KEY_INVALID', { reason: 'nobody has it' });
      return { address, username: 'ada' };
    },
    async send(transfer) {
      asked.push(transfer);
      return { hash: HASH };
    },
  };
  return { asked, service: service as WalletService };
}

const transfer = { to: 'alc1ada', amountMicroAlc: '5', memo: 'for tea' };
const send = { type: 'walletSend', ...transfer } as const;

describe('what pages ask the wallet for', () => {
  it('is refused in a sentence before there is a ledger', async () => {
    const answers = walletAnswers({ service: () => undefined, checkSpending: () => {} });
    await expect(answers.walletHistory({ type: 'walletHistory', limit: 20 })).rejects.toMatchObject({
      code: 'LEDGER_NOT_READY',
    });
    await expect(answers.walletSend(send)).rejects.toMatchObject({ code: 'LEDGER_NOT_READY' });
  });

  it('comes with the names of those who have one', async () => {
    const { asked, service } = serviceOf();
    const answers = walletAnswers({ service: () => service, checkSpending: () => {} });
    expect(await answers.walletHistory({ type: 'walletHistory', before: 9, limit: 20 })).toEqual({
      transactions: [transaction, reward],
      names: { alc1ada: 'ada' },
      next: 4,
    });
    expect(asked).toEqual([{ before: 9, limit: 20 }]);
    expect(await answers.walletTransaction({ type: 'walletTransaction', hash: HASH })).toEqual({
      transaction,
      names: { alc1ada: 'ada' },
    });
  });

  it('says that there is no such transaction', async () => {
    const { service } = serviceOf();
    const answers = walletAnswers({ service: () => service, checkSpending: () => {} });
    await expect(answers.walletTransaction({ type: 'walletTransaction', hash: 'c'.repeat(64) })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  it('spends nothing that may not be spent', async () => {
    const { asked, service } = serviceOf();
    let isLocked = true;
    const checkSpending = () => {
      if (isLocked) throw AiloError.of('NOT_AUTHENTICATED', {});
    };
    const answers = walletAnswers({ service: () => service, checkSpending });
    await expect(answers.walletSend(send)).rejects.toMatchObject({ code: 'NOT_AUTHENTICATED' });
    expect(asked).toEqual([]);
    isLocked = false;
    expect(await answers.walletSend(send)).toEqual({ hash: HASH });
    expect(asked).toEqual([transfer]);
  });
});
