import { useEffect, useRef } from 'preact/hooks';
import { MAX_MEMO_BYTES } from '../../shared/ledger/limits.ts';
import { formatAlc } from '../../shared/ledger/money.ts';
import { PaymentField } from './payment-field.tsx';
import { RecipientHint } from './recipient-hint.tsx';
import { amountIn, memoBytes, mostSendable, type Payer, recipientOf, remainsAfter } from './send-check.ts';
import { SendConfirm } from './send-confirm.tsx';
import { type Sent, usePayment } from './use-payment.ts';
import { useRecipient } from './use-recipient.ts';

interface SendFormProps {
  payer: Payer | undefined;
  /** Why nothing can be sent now. */
  obstacle: string | undefined;
  /** Spending is locked. */
  needsPassword: boolean;
  onSent(sent: Sent): void;
}

export function SendForm({ payer, obstacle, needsPassword, onSent }: SendFormProps) {
  const form = useRef<HTMLFormElement>(null);
  const sending = usePayment(payer, onSent);
  const { payment, errors, trouble, isReviewing, isSending, change } = sending;
  const lookup = useRecipient(payer && !errors.to ? recipientOf(payment.to) : '');
  const most = payer && mostSendable(payer);
  useEffect(() => form.current!.querySelector('input')!.focus(), []);

  function submit(event: SubmitEvent) {
    event.preventDefault();
    if (obstacle === undefined) void sending.review();
  }

  return (
    <>
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
        <PaymentField
          name="amount"
          label="Amount in ALC"
          placeholder="0.00"
          inputMode="decimal"
          value={payment.amount}
          error={errors.amount}
          hint={payer && <Remains amountMicroAlc={amountIn(payment.amount)} payer={payer} />}
          after={
            <button
              type="button"
              class="button"
              disabled={most === undefined || most <= 0n}
              onClick={() => change({ amount: formatAlc(most!) })}
            >
              Send all
            </button>
          }
          onInput={(amount) => change({ amount })}
        />
        <PaymentField
          name="memo"
          label="Memo"
          placeholder="Optional; everybody can read it"
          value={payment.memo}
          error={errors.memo}
          aside={<MemoCount bytes={memoBytes(payment.memo)} />}
          onInput={(memo) => change({ memo })}
        />
        {(trouble ?? obstacle) && (
          <p class="notice bad" role="alert">
            {trouble ?? obstacle}
          </p>
        )}
        <button type="submit" class="button primary" disabled={obstacle !== undefined}>
          {isSending ? 'Sending…' : isReviewing ? 'Checking…' : 'Review'}
        </button>
      </form>
      {sending.checked && payer && (
        <SendConfirm
          payer={payer}
          checked={sending.checked}
          isSending={isSending}
          needsPassword={needsPassword}
          passwordError={sending.passwordError}
          onConfirm={sending.confirm}
          onCancel={sending.cancel}
        />
      )}
    </>
  );
}

/** The fee, and what is left after both. */
function Remains({ amountMicroAlc = 0n, payer }: { amountMicroAlc: bigint | undefined; payer: Payer }) {
  const remains = remainsAfter(amountMicroAlc, payer);
  const fee = `The fee is ${formatAlc(payer.feeMicroAlc)} ALC.`;
  if (amountMicroAlc === 0n) return <>{`${formatAlc(payer.availableMicroAlc)} ALC are available. ${fee}`}</>;
  return <>{remains < 0n ? `${fee} That is more than there is.` : `${fee} ${formatAlc(remains)} ALC remain.`}</>;
}

function MemoCount({ bytes }: { bytes: number }) {
  return (
    <span class={`small figures ${bytes > MAX_MEMO_BYTES ? 'field-error' : 'muted'}`}>
      {bytes}/{MAX_MEMO_BYTES}
      <span class="visually-hidden"> bytes</span>
    </span>
  );
}
