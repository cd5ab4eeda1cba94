import { useEffect, useState } from 'preact/hooks';
import { type AiloError, toAiloError } from '../../shared/errors/index.ts';
import type { TransactionDetail } from '../../shared/replica/wallet-types.ts';
import { request } from '../ui/link.ts';
import { useThrottled } from '../ui/use-throttled.ts';
import type { Names } from '../wallet-messages.ts';
import { type History, REFRESH_EVERY_MS } from './use-history.ts';

export interface Shown {
  transaction: TransactionDetail;
  names: Names;
}

export interface TransactionState {
  shown: Shown | undefined;
  error: AiloError | undefined;
  /** Of a transfer that was pending when it was opened: whether this browser's verification of it counts. */
  verified: boolean | 'verifying' | undefined;
  refresh(): void;
}

/** One transaction, renewed when `version` changes. Opening a pending transfer verifies it at once. */
export function useTransaction(hash: string, version: string, { loaded }: History): TransactionState {
  const [shown, setShown] = useState<Shown | undefined>(() => {
    const transaction = loaded?.transactions.find((known) => known.hash === hash);
    return transaction && { transaction, names: loaded!.names };
  });
  const [error, setError] = useState<AiloError>();
  const [verified, setVerified] = useState<TransactionState['verified']>();

  async function refresh() {
    try {
      const found = await request({ type: 'walletTransaction', hash });
      setShown(found);
      setError(undefined);
    } catch (thrown) {
      setError(toAiloError(thrown));
    }
  }

  const waits = shown?.transaction.type === 'transfer' && shown.transaction.state === 'pending';
  useEffect(() => {
    if (!waits) return;
    setVerified('verifying');
    request({ type: 'walletVerify', hash })
      .then((counts) => {
        setVerified(counts);
        return refresh();
      })
      .catch((thrown) => {
        setVerified(undefined);
        setError(toAiloError(thrown));
      });
  }, [waits]);

  useThrottled(version, REFRESH_EVERY_MS, refresh);
  return { shown, error, verified, refresh };
}
