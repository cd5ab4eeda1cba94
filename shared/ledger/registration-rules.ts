/** The rules for usernames. */
import { AiloError } from '../errors/index.ts';
import { equalBytes } from './binary.ts';
import type { EntryOf } from './entry.ts';
import type { Network } from './network.ts';
import { accountOf, checkRecipient } from './parties.ts';
import type { Account, Totals } from './records.ts';
import type { Registration } from './registration.ts';
import type { Change, StateView } from './state.ts';

/** The wallet's account before it is registered. Throws the error of the first rule in the way, but for the signature. */
export function checkRegistration(
  network: Network,
  state: StateView,
  { networkId, publicKey, number, username }: Registration,
): Account {
  if (!equalBytes(networkId, network.id)) throw AiloError.of('NETWORK_MISMATCH', {});
  checkRecipient(network, state, publicKey);
  const account = accountOf(state, publicKey);
  const owner = state.ownerOf(username);
  if (owner) {
    throw equalBytes(owner.publicKey, publicKey)
      ? AiloError.of('USERNAME_UNCHANGED', { username })
      : AiloError.of('USERNAME_TAKEN', { username });
  }
  const expected = account.registrations + 1;
  if (number !== expected) throw AiloError.of('REGISTRATION_NUMBER_WRONG', { number, expected });
  return account;
}

export function applyRegistration(
  network: Network,
  state: StateView,
  totals: Totals,
  { signed: { registration } }: EntryOf<'registration'>,
): Change {
  const account = checkRegistration(network, state, registration);
  const { number, username } = registration;
  return { accounts: [{ ...account, registrations: number, username }], totals };
}
