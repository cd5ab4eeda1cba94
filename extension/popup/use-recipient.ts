import { useEffect, useState } from 'preact/hooks';
import { toAiloError } from '../../shared/errors/index.ts';
import type { Recipient } from '../../shared/replica/wallet-types.ts';
import { request } from '../ui/link.ts';

/** Nobody types faster than that without meaning to go on. */
const SETTLE_MS = 300;

export type Lookup =
  | { kind: 'none' }
  | { kind: 'looking' }
  | { kind: 'found'; recipient: Recipient }
  | { kind: 'unknown'; reason: string };

/** Who `to` is, looked up when it has not changed for a moment. Empty: nobody is looked up. */
export function useRecipient(to: string): Lookup {
  const [lookup, setLookup] = useState<{ to: string; result: Lookup }>();
  useEffect(() => {
    if (to === '') return;
    let isWanted = true;
    const timer = setTimeout(async () => {
      const result = await request({ type: 'walletResolve', to }).then(
        (recipient): Lookup => ({ kind: 'found', recipient }),
        (thrown): Lookup => ({ kind: 'unknown', reason: toAiloError(thrown).message }),
      );
      if (isWanted) setLookup({ to, result });
    }, SETTLE_MS);
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [to]);
  if (to === '') return { kind: 'none' };
  return lookup?.to === to ? lookup.result : { kind: 'looking' };
}
