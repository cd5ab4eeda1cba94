import { useEffect, useRef } from 'preact/hooks';
import { MAX_MEMO_BYTES } from '../../shared/ledger/limits.ts';
import { AmountField } from './amount-field.tsx';
import { ByteCount } from './byte-count.tsx';
import { PaymentField } from './payment-field.tsx';
import { RecipientHint } from './recipient-hint.tsx';
import { memoBytes, type Payer, recipientOf } from './send-check.ts';
import type { PaymentState } from './use-payment.ts';
import { useRecipient } from './use-recipient.ts';

interface SendFormProps {
  state: PaymentState;
  payer: Payer | undefined;
  /** Why nothing can be sent now. */
  obstacle: string | undefined;
}

export function SendForm({ state, payer, obstacle }: SendFormProps) {
  const form = useRef<HTMLFormElement>(null);
  const { payment, errors, isReviewing, isSending, change } = state;
  const lookup = useRecipient(payer && !errors.to ? recipientOf(payment.to) : '');
  const trouble = state.trouble ?? obstacle;
  useEffect(() => form.current!.querySelector('input')!.focus(), []);

  function submit(event: SubmitEvent) {
    event.preventDefault();
    if (obstacle === undefined) void state.review();
  }

  return (
    <form class="stack payment" ref={form} noValidate aria-busy={isReviewing || isSending} onSubmit={submit}>
      <PaymentField
        name="to"
        label="To"
        placeholder="@username or alc1…"
        value={payment.to}
        error={errors.to}
        announced
        hint={<RecipientHint lookup={lookup} address={payer?.address} />}
        onInput={(to) => change({ to })}
      />
      <AmountField
        value={payment.amount}
        error={errors.amount}
        payer={payer}
        onInput={(amount) => change({ amount })}
      />
      <PaymentField
        name="memo"
        label="Memo"
        placeholder="Optional; everybody can read it"
        value={payment.memo}
        error={errors.memo}
        aside={<ByteCount bytes={memoBytes(payment.memo)} limit={MAX_MEMO_BYTES} />}
        onInput={(memo) => change({ memo })}
      />
      {trouble && (
        <p class="notice bad" role="alert">
          {trouble}
        </p>
      )}
      <button type="submit" class="button primary" disabled={obstacle !== undefined}>
        {isSending ? 'Sending…' : isReviewing ? 'Checking…' : 'Review'}
      </button>
    </form>
  );
}
