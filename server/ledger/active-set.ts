/** Who decides a dispute that opens now: the nodes that are active. */
import { isEligible } from '../../shared/ledger/activity.ts';
import type { Genesis } from '../../shared/ledger/genesis.ts';
import { MAX_ACTIVE_SET } from '../../shared/ledger/limits.ts';
import type { StateView } from '../../shared/ledger/state.ts';
import { keyOfAddress } from '../../shared/wallet/address.ts';

/**
 * Places of the accounts, ascending, of those present that have worked lately; the oldest accounts, where there are more
 * than a report can name.
 *
 * @param present addresses
 */
export function activeSet(genesis: Genesis, state: StateView, present: Iterable<string>, nowMs: number): number[] {
  const places = new Set<number>();
  for (const address of present) {
    const place = state.placeOf(keyOfAddress(address));
    if (place !== undefined && isEligible(genesis, state.accountAt(place), nowMs)) places.add(place);
  }
  return [...places].sort((a, b) => a - b).slice(0, MAX_ACTIVE_SET);
}
