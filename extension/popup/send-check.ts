/** What can be said of a payment before anything is signed. Amounts are µALC. */
import { AiloError, toAiloError } from '../../shared/errors/index.ts';
import { MAX_MEMO_BYTES } from '../../shared/ledger/limits.ts';
import { formatAlc, parseAlc } from '../../shared/ledger/money.ts';

/** As it was typed. */
export interface Payment {
  to: string;
  amount: string;
  memo: string;
}

export interface Payer {
  address: string;
  username: string | undefined;
  availableMicroAlc: bigint;
  feeMicroAlc: bigint;
}

/** One sentence for each field that is wrong. */
export type PaymentErrors = { [Field in keyof Payment]?: string };

/** Without what comes along when somebody copies an address. */
export function recipientOf(text: string): string {
  return text.replace(/\s+/g, '');
}

/** Whether a recipient is the payer under one of the names it is known by. */
export function isSelf(to: string, { address, username }: Payer): boolean {
  return to === address || (username !== undefined && to.replace(/^@/, '') === username);
}

export function selfError(): string {
  return AiloError.of('TRANSFER_TO_SELF', {}).message;
}

/** All that is wrong with it, but for whether the recipient exists. */
export function checkPayment({ to, amount, memo }: Payment, payer: Payer): PaymentErrors {
  const errors: PaymentErrors = {};
  const recipient = recipientOf(to);
  if (recipient === '') errors.to = 'Please say who gets it: an address, or a username.';
  else if (isSelf(recipient, payer)) errors.to = selfError();
  const wrongAmount = checkAmount(amount, payer);
  if (wrongAmount !== undefined) errors.amount = wrongAmount;
  const bytes = memoBytes(memo);
  if (bytes > MAX_MEMO_BYTES) {
    errors.memo = `The memo is ${bytes - MAX_MEMO_BYTES} bytes too long; letters beyond the English ones take several.`;
  }
  return errors;
}

function checkAmount(text: string, payer: Payer): string | undefined {
  if (text.trim() === '') return 'Please say how much.';
  let amount: bigint;
  try {
    amount = parseAlc(text.trim());
  } catch (thrown) {
    return toAiloError(thrown).message;
  }
  if (amount === 0n) return AiloError.of('AMOUNT_ZERO', {}).message;
  if (remainsAfter(amount, payer) >= 0n) return undefined;
  const most = mostSendable(payer);
  if (most <= 0n) return `There is too little to send: the fee alone is ${formatAlc(payer.feeMicroAlc)} ALC.`;
  return `That is more than there is: at most ${formatAlc(most)} ALC can be sent, and the fee is on top.`;
}

/** What “Send all” sends; nothing or less when not even the fee can be paid. */
export function mostSendable({ availableMicroAlc, feeMicroAlc }: Payer): bigint {
  return availableMicroAlc - feeMicroAlc;
}

/** What is left in the wallet; below zero: it cannot be paid. */
export function remainsAfter(amountMicroAlc: bigint, payer: Payer): bigint {
  return mostSendable(payer) - amountMicroAlc;
}

/** The amount that was typed; undefined while it is none. */
export function amountIn(text: string): bigint | undefined {
  try {
    return parseAlc(text.trim());
  } catch {
    return undefined;
  }
}

export function memoBytes(memo: string): number {
  return new TextEncoder().encode(memo).length;
}
