import { AiloError } from '../../shared/errors/index.ts';
import type { NodeState } from '../../shared/node/types.ts';
import type { WalletView } from '../state.ts';

/** What is shown of the node while there is none, because the wallet is locked or cannot be read. */
export function noNode({ address = '', locked, error }: WalletView): NodeState {
  const reason = error ?? AiloError.of('WALLET_LOCKED', {}).toWire();
  return {
    connection: 'stopped',
    // An open wallet has its node in a moment.
    ...(locked === 'all' && { error: reason }),
    address,
    contributing: false,
    activity: { kind: 'off' },
    training: { kind: 'off' },
    models: [],
  };
}
