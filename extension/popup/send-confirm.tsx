import { Address } from '../ui/address.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { alc } from '../ui/format.ts';
import { PasswordField } from '../ui/password-field.tsx';
import { type Payer, remainsAfter } from './send-check.ts';
import type { Checked, PaymentState } from './use-payment.ts';

interface SendConfirmProps {
  state: PaymentState;
  payer: Payer;
  checked: Checked;
  /** Spending is locked. */
  needsPassword: boolean;
}

/** Exactly what is about to happen. */
export function SendConfirm({ state, payer, checked, needsPassword }: SendConfirmProps) {
  const { isSending, passwordError, cancel } = state;
  const amount = alc(String(checked.amountMicroAlc));

  function submit(event: SubmitEvent) {
    event.preventDefault();
    const password = new FormData(event.currentTarget as HTMLFormElement).get('password');
    void state.confirm(password === null ? undefined : String(password));
  }

  return (
    <Dialog title={`Send ${amount}?`} isBusy={isSending} onClose={cancel}>
      <Facts payer={payer} checked={checked} />
      <p class="small muted">
        This browser signs it, and it is written into the public ledger for everybody to see. You cannot take it back.
      </p>
      <form class="stack tight" onSubmit={submit}>
        {needsPassword && <PasswordField name="password" label="Password of the wallet" />}
        {passwordError && (
          <p class="notice bad" role="alert">
            {passwordError}
          </p>
        )}
        <div class="row end">
          <button type="button" class="button" data-autofocus disabled={isSending} onClick={cancel}>
            Cancel
          </button>
          <button type="submit" class="button primary" disabled={isSending}>
            {isSending ? 'Sending…' : `Send ${amount}`}
          </button>
        </div>
      </form>
      <p class="visually-hidden" role="status">
        {isSending && 'Sending…'}
      </p>
    </Dialog>
  );
}

function Facts({ payer, checked: { recipient, amountMicroAlc, memo } }: Pick<SendConfirmProps, 'payer' | 'checked'>) {
  return (
    <dl class="facts-list">
      <div>
        <dt>To</dt>
        <dd>
          {recipient.username !== undefined && <strong>@{recipient.username}</strong>}
          <Address address={recipient.address} />
        </dd>
      </div>
      <div>
        <dt>Amount</dt>
        <dd class="figures">{alc(String(amountMicroAlc))}</dd>
      </div>
      <div>
        <dt>Fee</dt>
        <dd class="figures">{alc(String(payer.feeMicroAlc))}</dd>
      </div>
      <div>
        <dt>Remaining</dt>
        <dd class="figures">{alc(String(remainsAfter(amountMicroAlc, payer)))}</dd>
      </div>
      {memo !== '' && (
        <div>
          <dt>Memo</dt>
          <dd>{memo}</dd>
        </div>
      )}
    </dl>
  );
}
