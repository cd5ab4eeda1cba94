import type { ErrorCode } from '../../shared/errors/index.ts';
import type { Payment } from './send-check.ts';

const FIELDS: Partial<Record<ErrorCode, keyof Payment | 'password'>> = {
  ADDRESS_INVALID: 'to',
  PUBLIC_KEY_INVALID: 'to',
  RECIPIENT_INVALID: 'to',
  TRANSFER_TO_SELF: 'to',
  AMOUNT_INVALID: 'amount',
  AMOUNT_ZERO: 'amount',
  BALANCE_INSUFFICIENT: 'amount',
  PASSWORD_NEEDED: 'password',
  PASSWORD_WRONG: 'password',
  PASSWORD_WAIT: 'password',
};

/** The field that an error of sending is about; undefined: none. */
export function fieldOf(code: ErrorCode): keyof Payment | 'password' | undefined {
  return FIELDS[code];
}
