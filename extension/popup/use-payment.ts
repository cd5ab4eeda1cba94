/** A payment on its way: written, checked, confirmed by the person, sent once. */
import { useEffect, useState } from 'preact/hooks';
import { toAiloError } from '../../shared/errors/index.ts';
import type { Recipient } from '../../shared/replica/wallet-types.ts';
import { request } from '../ui/link.ts';
import { useTask } from '../ui/use-task.ts';
import { fieldOf } from './payment-errors.ts';
import {
  amountIn,
  checkPayment,
  isSelf,
  type Payer,
  type Payment,
  type PaymentErrors,
  recipientOf,
  selfError,
} from './send-check.ts';
import { clearDraft, readDraft, writeDraft } from './send-draft.ts';

/** What the person is asked about before it is signed, and told about afterwards. */
export interface Checked {
  recipient: Recipient;
  amountMicroAlc: bigint;
  memo: string;
}

export interface Sent extends Checked {
  hash: string;
}

export interface PaymentState {
  payment: Payment;
  errors: PaymentErrors;
  change(part: Partial<Payment>): void;
  isReviewing: boolean;
  /** Leads to `checked`, or to `errors`. */
  review(): Promise<void>;
  /** Set while the person is asked. */
  checked: Checked | undefined;
  cancel(): void;
  isSending: boolean;
  /** With the password, if spending is locked. Leads to `onSent`, or to an error. */
  confirm(password: string | undefined): Promise<void>;
  passwordError: string | undefined;
  /** What no field is to blame for. */
  trouble: string | undefined;
}

export function usePayment(payer: Payer | undefined, onSent: (sent: Sent) => void): PaymentState {
  const { payment, errors, change, refuse } = usePaymentForm();
  const [checked, setChecked] = useState<Checked>();
  const [passwordError, setPasswordError] = useState<string>();
  const reviewing = useTask();
  const sending = useTask();

  async function review() {
    const wrong = checkPayment(payment, payer!);
    if (Object.keys(wrong).length > 0) return refuse(wrong);
    try {
      const recipient = await request({ type: 'walletResolve', to: recipientOf(payment.to) });
      if (isSelf(recipient.address, payer!)) refuse({ to: selfError() });
      else setChecked({ recipient, amountMicroAlc: amountIn(payment.amount)!, memo: payment.memo });
    } catch (thrown) {
      refuse({ to: toAiloError(thrown).message });
    }
  }

  async function send(password: string | undefined) {
    const { recipient, amountMicroAlc, memo } = checked!;
    setPasswordError(undefined);
    try {
      if (password !== undefined) await request({ type: 'unlock', password });
      // Whoever comes back before it is done must not find it unsent.
      clearDraft();
      const transfer = { to: recipient.address, amountMicroAlc: String(amountMicroAlc), memo };
      const { hash } = await request({ type: 'walletSend', ...transfer });
      onSent({ recipient, amountMicroAlc, memo, hash });
    } catch (thrown) {
      writeDraft(payment);
      const error = toAiloError(thrown);
      const field = fieldOf(error.code);
      // Then it is asked once more.
      if (field === 'password') return setPasswordError(error.message);
      setChecked(undefined);
      if (!field) throw error;
      refuse({ [field]: error.message });
    }
  }

  return {
    payment,
    errors,
    change,
    isReviewing: reviewing.isBusy,
    review: () => reviewing.run(review),
    checked,
    cancel() {
      setChecked(undefined);
      setPasswordError(undefined);
    },
    isSending: sending.isBusy,
    confirm: (password) => sending.run(() => send(password)),
    passwordError,
    trouble: sending.error,
  };
}

/** What was typed, kept for a popup that closes, and what is wrong with it. */
function usePaymentForm() {
  const [payment, setPayment] = useState<Payment>(readDraft);
  const [errors, setErrors] = useState<PaymentErrors>({});
  const [refused, setRefused] = useState<{ field: string | undefined }>();

  useEffect(() => {
    if (refused?.field) document.getElementById(`send-${refused.field}`)?.focus();
  }, [refused]);

  return {
    payment,
    errors,
    change(part: Partial<Payment>) {
      const changed = { ...payment, ...part };
      setPayment(changed);
      writeDraft(changed);
      setErrors(Object.fromEntries(Object.entries(errors).filter(([field]) => !(field in part))));
    },
    /** The first field that is wrong has the focus. */
    refuse(wrong: PaymentErrors) {
      setErrors(wrong);
      setRefused({ field: Object.keys(wrong)[0] });
    },
  };
}
