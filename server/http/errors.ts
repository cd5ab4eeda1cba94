/** From an error's code to the status of its HTTP answer; whatever is not listed is our fault. */
import type { ErrorCode } from '../../shared/errors/index.ts';

const STATUS: Partial<Record<ErrorCode, number>> = {
  REQUEST_INVALID: 400,
  ADDRESS_INVALID: 400,
  PUBLIC_KEY_INVALID: 400,
  NOT_FOUND: 404,
  MODEL_UNKNOWN: 404,
  MODEL_FILE_MISSING: 404,
  RANGE_UNSATISFIABLE: 416,
  RATE_LIMITED: 429,
};

export function statusOf(code: ErrorCode): number {
  return STATUS[code] ?? 500;
}
