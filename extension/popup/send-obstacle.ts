import { AiloError } from '../../shared/errors/index.ts';
import type { AppState } from '../state.ts';
import type { Payer } from './send-check.ts';

type PayerState = Pick<AppState, 'account' | 'ledger' | 'node'>;

/** Who pays, as verified here; undefined while that is not known. */
export function payerOf({ account, ledger, node }: PayerState): Payer | undefined {
  if (!account || !ledger) return undefined;
  return {
    address: node.address,
    username: account.username,
    availableMicroAlc: BigInt(account.availableMicroAlc),
    feeMicroAlc: BigInt(ledger.feeMicroAlc),
  };
}

/** Why nothing can be sent now; undefined: it can. */
export function sendObstacle(state: PayerState): string | undefined {
  if (state.ledger?.status === 'contradicted') return 'Nothing can be sent while the ledger contradicts itself.';
  return payerOf(state) ? undefined : AiloError.of('LEDGER_NOT_READY', {}).message;
}
