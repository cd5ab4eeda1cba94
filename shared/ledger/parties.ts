/** Who can take part in a transaction. */
import { AiloError } from '../errors/index.ts';
import { checkPublicKey } from '../wallet/public-key.ts';
import { equalBytes } from './binary.ts';
import type { Network } from './network.ts';
import type { Account } from './records.ts';
import type { StateView } from './state.ts';

/** A key is checked once: when it has an account, it was. Throws RECIPIENT_INVALID. */
export function checkRecipient(network: Network, state: StateView, publicKey: Uint8Array): void {
  // The network's key signs but is nobody's wallet: what it received, nobody could ever send.
  if (equalBytes(publicKey, network.publicKey)) throw AiloError.of('RECIPIENT_INVALID', {});
  if (state.account(publicKey)) return;
  try {
    checkPublicKey(publicKey);
  } catch (error) {
    throw AiloError.of('RECIPIENT_INVALID', {}, error);
  }
}

/** The account, or the one that the key will have. */
export function accountOf(state: StateView, publicKey: Uint8Array): Account {
  return (
    state.account(publicKey) ?? {
      publicKey,
      availableMicroAlc: 0n,
      pendingMicroAlc: 0n,
      nonce: 0,
      receipts: 0,
      quotaHour: 0,
      quotaUsed: 0,
      lastWorkMs: 0,
      trainings: 0,
      cosignedSize: 0,
      registrations: 0,
      username: '',
    }
  );
}
