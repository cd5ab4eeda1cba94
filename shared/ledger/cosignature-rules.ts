/** The rules for cosignatures, and how verifications confirm a transfer. */
import { AiloError } from '../errors/index.ts';
import { isEligible } from './activity.ts';
import { equalBytes } from './binary.ts';
import type { Cosignature } from './cosignature.ts';
import type { EntryOf } from './entry.ts';
import type { LogView } from './log-view.ts';
import type { Network } from './network.ts';
import type { Account, Totals, Transfer } from './records.ts';
import type { Change, StateView } from './state.ts';

/**
 * The transfers that one more cosignature of the wallet, over `size` entries, would verify: those it covers for the first
 * time, that still wait, to which the wallet is not party and which it did not report.
 */
export function verifiedBy(state: StateView, wallet: Account, place: number, size: number): Transfer[] {
  const verified: Transfer[] = [];
  for (const transfer of state.unconfirmed(wallet.cosignedSize)) {
    if (transfer.index >= size) break;
    const isParty = equalBytes(transfer.from, wallet.publicKey) || equalBytes(transfer.to, wallet.publicKey);
    if (isParty || state.dispute(transfer.hash)?.reporters.includes(place)) continue;
    verified.push(transfer);
  }
  return verified;
}

/** The account and its place if it may cosign. Throws what keeps it from it, but for the signature. */
export function checkCosignature(
  network: Network,
  state: StateView,
  log: LogView,
  { networkId, publicKey, size, root }: Cosignature,
  nowMs: number,
): { wallet: Account; verified: Transfer[]; place: number } {
  if (!equalBytes(networkId, network.id)) throw AiloError.of('NETWORK_MISMATCH', {});
  const wallet = state.account(publicKey);
  if (!isEligible(network.genesis, wallet, nowMs)) throw AiloError.of('NOT_ELIGIBLE', {});
  if (size > log.size) throw AiloError.of('COSIGNATURE_AHEAD', { size, logSize: log.size });
  const expected = log.rootAt(size);
  if (!expected) throw AiloError.of('COSIGNATURE_TOO_OLD', { size });
  if (!equalBytes(root, expected)) throw AiloError.of('COSIGNATURE_ROOT_WRONG', { size });
  const place = state.placeOf(publicKey)!;
  const verified = verifiedBy(state, wallet, place, size);
  if (verified.length === 0) throw AiloError.of('COSIGNATURE_EMPTY', {});
  return { wallet, verified, place };
}

export function applyCosignature(
  network: Network,
  state: StateView,
  log: LogView,
  totals: Totals,
  { signed: { cosignature }, timeMs }: EntryOf<'cosignature'>,
): Change {
  const { wallet, verified, place } = checkCosignature(network, state, log, cosignature, timeMs);
  const { confirmations } = network.genesis.transfer;
  const recipients = new Map<Uint8Array, Account>();
  const transfers = verified.map((transfer) => {
    const verifiers = [...transfer.verifiers, place];
    const confirmed = verifiers.length >= confirmations;
    if (confirmed) {
      // Records share their keys' bytes, so an account that several transfers go to is one entry of the map.
      const account = state.account(transfer.to)!;
      const before = recipients.get(account.publicKey) ?? account;
      recipients.set(account.publicKey, released(before, transfer.amountMicroAlc));
    }
    return { ...transfer, verifiers, confirmed };
  });
  return {
    accounts: [{ ...wallet, cosignedSize: cosignature.size }, ...recipients.values()],
    transfers,
    totals,
  };
}

/** The account after what was pending may be spent. */
function released(account: Account, amountMicroAlc: bigint): Account {
  return {
    ...account,
    availableMicroAlc: account.availableMicroAlc + amountMicroAlc,
    pendingMicroAlc: account.pendingMicroAlc - amountMicroAlc,
  };
}
