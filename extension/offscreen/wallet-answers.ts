/** What pages ask the wallet for, answered from its service. */
import { AiloError } from '../../shared/errors/index.ts';
import type { TransactionDetail, WalletService } from '../../shared/replica/wallet-types.ts';
import type { Names, WalletAnswers } from '../wallet-messages.ts';

export interface WalletAnswersOptions {
  /** Undefined while there is no ledger to work on. */
  service(): WalletService | undefined;
  /** Called before anything is spent; throws why it may not be. */
  checkSpending(): void;
}

/** They reject with LEDGER_NOT_READY while there is no service, and else with what the service throws. */
export function walletAnswers({ service, checkSpending }: WalletAnswersOptions): WalletAnswers {
  function ready(): WalletService {
    const found = service();
    if (!found) throw AiloError.of('LEDGER_NOT_READY', {});
    return found;
  }

  return {
    async walletHistory({ before, limit }) {
      const wallet = ready();
      const page = await wallet.history({ limit, ...(before !== undefined && { before }) });
      return { ...page, names: await namesIn(wallet, page.transactions) };
    },
    async walletTransaction({ hash }) {
      const wallet = ready();
      const transaction = await wallet.transaction(hash);
      if (!transaction) throw AiloError.of('NOT_FOUND', { what: 'transaction with this hash' });
      return { transaction, names: await namesIn(wallet, [transaction]) };
    },
    async walletResolve({ to }) {
      return ready().resolve(to);
    },
    async walletSend({ to, amountMicroAlc, memo }) {
      const wallet = ready();
      checkSpending();
      return wallet.send({ to, amountMicroAlc, memo });
    },
    async walletReport({ hash, reason }) {
      await ready().report(hash, reason);
    },
    async walletVerify({ hash }) {
      return ready().verify(hash);
    },
  };
}

/** Of all who take part. Whoever cannot be found has no name to show, which is no reason to show nothing. */
async function namesIn(wallet: WalletService, transactions: TransactionDetail[]): Promise<Names> {
  const addresses = new Set(transactions.flatMap(({ from, to }) => (from === undefined ? [to] : [from, to])));
  const names: Names = {};
  for (const address of addresses) {
    const found = await wallet.resolve(address).catch(() => undefined);
    if (found?.username !== undefined) names[address] = found.username;
  }
  return names;
}
