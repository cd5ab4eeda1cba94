import { Address } from '../ui/address.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { alc } from '../ui/format.ts';
import { PasswordField } from '../ui/password-field.tsx';
import { type Payer, remainsAfter } from './send-check.ts';
import type { Checked } from './use-payment.ts';

interface SendConfirmProps {
  payer: Payer;
  checked: Checked;
  isSending: boolean;
  /** Spending is locked. */
  needsPassword: boolean;
  passwordError: string | undefined;
  onConfirm(password: string | undefined): void;
  onCancel(): void;
}

/** Exactly what is about to happen. */
export function SendConfirm({ payer, checked, isSending, ...ask }: SendConfirmProps) {
  const { recipient, amountMicroAlc, memo } = checked;
  const amount = alc(String(amountMicroAlc));

  function submit(event: SubmitEvent) {
    event.preventDefault();
    const password = new FormData(event.currentTarget as HTMLFormElement).get('password');
    ask.onConfirm(password === null ? undefined : String(password));
  }

  return (
    <Dialog title={`Send ${amount}?`} isBusy={isSending} onClose={ask.onCancel}>
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
          <dd class="figures">{amount}</dd>
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
      <p class="small muted">
        This browser signs it, and it is written into the public ledger for everybody to see. You cannot take it back.
      </p>
      <form class="stack tight" onSubmit={submit}>
        {ask.needsPassword && <PasswordField name="password" label="Password of the wallet" />}
        {ask.passwordError && (
          <p class="notice bad" role="alert">
            {ask.passwordError}
          </p>
        )}
        <div class="row end">
          <button type="button" class="button" data-autofocus disabled={isSending} onClick={ask.onCancel}>
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
