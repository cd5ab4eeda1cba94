/** A payment on its way: written, checked, confirmed by the person, sent once. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { type AiloError, type ErrorCode, toAiloError } from '../../shared/errors/index.ts';
import type { Recipient } from '../../shared/replica/wallet-types.ts';
import { request } from '../ui/link.ts';
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
  /** What no field is to blame for. */
  trouble?: string | undefined;
  /** Set while the person is asked. */
  checked?: Checked | undefined;
  /** What is wrong with the password that spending needs. */
  passwordError?: string | undefined;
  isReviewing: boolean;
  isSending: boolean;
  change(part: Partial<Payment>): void;
  review(): Promise<void>;
  cancel(): void;
  /** With the password, if spending is locked. */
  confirm(password: string | undefined): Promise<void>;
}

const FIELD_OF: Partial<Record<ErrorCode, keyof Payment>> = {
  ADDRESS_INVALID: 'to',
  PUBLIC_KEY_INVALID: 'to',
  RECIPIENT_INVALID: 'to',
  TRANSFER_TO_SELF: 'to',
  AMOUNT_INVALID: 'amount',
  AMOUNT_ZERO: 'amount',
  BALANCE_INSUFFICIENT: 'amount',
};

const PASSWORD_ERRORS: ReadonlySet<ErrorCode> = new Set(['PASSWORD_WRONG', 'PASSWORD_WAIT', 'PASSWORD_NEEDED']);

export function usePayment(payer: Payer | undefined, onSent: (sent: Sent) => void): PaymentState {
  const [payment, setPayment] = useState<Payment>(readDraft);
  const [errors, setErrors] = useState<PaymentErrors>({});
  const [trouble, setTrouble] = useState<string>();
  const [checked, setChecked] = useState<Checked>();
  const [passwordError, setPasswordError] = useState<string>();
  const [work, setWork] = useState<'none' | 'reviewing' | 'sending'>('none');
  const [refused, setRefused] = useState<{ field: string | undefined }>();
  // State changes with the next render; a second click may come before.
  const isBusy = useRef(false);

  useEffect(() => {
    if (refused?.field) document.getElementById(`send-${refused.field}`)?.focus();
  }, [refused]);

  function refuse(wrong: PaymentErrors) {
    setErrors(wrong);
    setRefused({ field: Object.keys(wrong)[0] });
  }

  function fail(error: AiloError, field = FIELD_OF[error.code]) {
    if (field) refuse({ [field]: error.message });
    else setTrouble(error.message);
  }

  async function once(name: 'reviewing' | 'sending', task: () => Promise<void>) {
    if (isBusy.current) return;
    isBusy.current = true;
    setWork(name);
    setTrouble(undefined);
    await task();
    isBusy.current = false;
    setWork('none');
  }

  async function review() {
    const wrong = checkPayment(payment, payer!);
    if (Object.keys(wrong).length > 0) return refuse(wrong);
    try {
      const recipient = await request({ type: 'walletResolve', to: recipientOf(payment.to) });
      if (isSelf(recipient.address, payer!)) refuse({ to: selfError() });
      else setChecked({ recipient, amountMicroAlc: amountIn(payment.amount)!, memo: payment.memo });
    } catch (thrown) {
      fail(toAiloError(thrown), 'to');
    }
  }

  async function send({ recipient, amountMicroAlc, memo }: Checked, password: string | undefined) {
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
      // Then it is asked once more.
      if (PASSWORD_ERRORS.has(error.code)) return setPasswordError(error.message);
      fail(error);
    }
    setChecked(undefined);
  }

  return {
    payment,
    errors,
    trouble,
    checked,
    passwordError,
    isReviewing: work === 'reviewing',
    isSending: work === 'sending',
    change(part) {
      const changed = { ...payment, ...part };
      setPayment(changed);
      writeDraft(changed);
      setErrors(Object.fromEntries(Object.entries(errors).filter(([field]) => !(field in part))));
    },
    review: () => once('reviewing', review),
    cancel() {
      setChecked(undefined);
      setPasswordError(undefined);
    },
    confirm: (password) => once('sending', () => send(checked!, password)),
  };
}
