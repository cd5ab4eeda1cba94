import { AiloError } from '../../shared/errors/index.ts';
import { JOB_BYTES } from '../../shared/ledger/receipt.ts';
import { keyOfAddress } from '../../shared/wallet/address.ts';

/** The id of a job or a work unit, which must be 128 bits of hex. Throws RECEIPT_INVALID. */
export function checkWork(id: string): string {
  if (new RegExp(`^[0-9a-f]{${2 * JOB_BYTES}}$`).test(id)) return id;
  throw AiloError.of('RECEIPT_INVALID', { reason: 'its job or work unit is not 128 bits of hex' });
}

/** Public key of an address. Throws RECEIPT_INVALID. */
export function keyOf(address: string): Uint8Array {
  try {
    return keyOfAddress(address);
  } catch (error) {
    throw AiloError.of('RECEIPT_INVALID', { reason: 'it names somebody who has no address' }, error);
  }
}
