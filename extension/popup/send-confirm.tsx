import { Address } from '../ui/address.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { alc } from '../ui/format.ts';
import { type Payer, remainsAfter } from './send-check.ts';
import type { Checked } from './use-payment.ts';

interface SendConfirmProps {
  payer: Payer;
  checked: Checked;
  isSending: boolean;
  onConfirm(): void;
  onCancel(): void;
}

/** Exactly what is about to happen. */
export function SendConfirm({ payer, checked, isSending, onConfirm, onCancel }: SendConfirmProps) {
  const { recipient, amountMicroAlc, memo } = checked;
  const amount = alc(String(amountMicroAlc));
  return (
    <Dialog title={`Send ${amount}?`} isBusy={isSending} onClose={onCancel}>
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
      <div class="row end">
        <button type="button" class="button" data-autofocus disabled={isSending} onClick={onCancel}>
          Cancel
        </button>
        <button type="button" class="button primary" disabled={isSending} onClick={onConfirm}>
          {isSending ? 'Sending…' : `Send ${amount}`}
        </button>
      </div>
      <p class="visually-hidden" role="status">
        {isSending && 'Sending…'}
      </p>
    </Dialog>
  );
}
