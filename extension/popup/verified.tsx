import type { AppState, LedgerView } from '../state.ts';
import { ShieldIcon } from '../ui/icons.tsx';
import { useNow } from '../ui/use-now.ts';
import { contradictionOf, verificationOf } from './verification.ts';

/** How far this browser has verified the ledger. It counts seconds, so it is not announced. */
export function Verified({ state: { ledger, node } }: { state: AppState }) {
  const nowMs = useNow(1000);
  const { tone, sentence, progress } = verificationOf(ledger, node.connection === 'connected', nowMs);
  return (
    <div class={`verification small figures ${tone}`} data-testid="verified">
      <ShieldIcon />
      <p>{sentence}</p>
      {progress !== undefined && <progress value={progress} max={1} aria-label="Verifying the ledger" />}
    </div>
  );
}

/** What this browser found against the network's ledger, if anything. */
export function Contradicted({ ledger }: { ledger: LedgerView | undefined }) {
  const contradiction = contradictionOf(ledger, Date.now());
  if (!contradiction) return null;
  const { found, reason, noticed, meaning } = contradiction;
  return (
    <section class="notice bad contradicted" role="alert" aria-labelledby="contradicted-title">
      <h2 id="contradicted-title">The ledger contradicts itself</h2>
      <p>
        {found} {reason} (noticed {noticed})
      </p>
      <p>{meaning}</p>
    </section>
  );
}
