import { useState } from 'preact/hooks';
import type { AppState } from '../state.ts';
import { SendConfirm } from './send-confirm.tsx';
import { clearDraft } from './send-draft.ts';
import { SendForm } from './send-form.tsx';
import { payerOf, sendObstacle } from './send-obstacle.ts';
import { SentNote } from './sent-note.tsx';
import { type Sent, usePayment } from './use-payment.ts';
import { Contradicted } from './verified.tsx';
import { ViewHeader } from './view-header.tsx';

interface SendProps {
  state: AppState;
  onBack(): void;
  onTransaction(hash: string): void;
}

/** A payment from the first letter to its place in the ledger. */
export function Send({ state: { wallet, ...state }, onBack, onTransaction }: SendProps) {
  const [sent, setSent] = useState<Sent>();
  const payer = payerOf(state);
  const payment = usePayment(payer, setSent);

  function back() {
    // Only a popup that closes keeps it.
    clearDraft();
    onBack();
  }

  return (
    <div class="stack">
      <ViewHeader title={sent ? 'Sent' : 'Send'} onBack={back} />
      <Contradicted ledger={state.ledger} />
      {sent ? (
        <SentNote sent={sent} needed={state.ledger?.confirmations} onTransaction={onTransaction} onDone={onBack} />
      ) : (
        <SendForm state={payment} payer={payer} obstacle={sendObstacle(state)} />
      )}
      {!sent && payment.checked && payer && (
        <SendConfirm
          state={payment}
          payer={payer}
          checked={payment.checked}
          needsPassword={wallet.locked === 'spending'}
        />
      )}
    </div>
  );
}
