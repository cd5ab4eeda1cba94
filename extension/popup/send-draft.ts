/** A payment that is being written; it survives a popup that closes while somebody looks up an address. */
import type { Signal } from '@preact/signals';
import { storedText } from '../ui/stored.ts';
import type { Payment } from './send-check.ts';

export const draft: { [Field in keyof Payment]: Signal<string> } = {
  to: storedText('send.to'),
  amount: storedText('send.amount'),
  memo: storedText('send.memo'),
};

export function isDrafted(): boolean {
  return Object.values(draft).some(({ value }) => value !== '');
}

export function readDraft(): Payment {
  return { to: draft.to.value, amount: draft.amount.value, memo: draft.memo.value };
}

export function writeDraft({ to, amount, memo }: Payment): void {
  draft.to.value = to;
  draft.amount.value = amount;
  draft.memo.value = memo;
}

export function clearDraft(): void {
  writeDraft({ to: '', amount: '', memo: '' });
}
