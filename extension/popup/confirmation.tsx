import { ownVerification } from './meaning.ts';
import type { Role } from './transactions.ts';
import type { TransactionState } from './use-transaction.ts';

interface ConfirmationProps {
  confirmations: number;
  needed: number;
  verified: TransactionState['verified'];
  role: Role;
}

/** How far a pending transfer is, told again when it moves, and what this browser has to do with it. */
export function Confirmation({ confirmations, needed, verified, role }: ConfirmationProps) {
  return (
    <div class="confirmation">
      <progress value={confirmations} max={needed} aria-label="Confirmations" />
      <p class="small figures" role="status" data-testid="confirmations">
        {confirmations} of {needed} confirmations
      </p>
      <p class="small muted" role="status">
        {verified === 'verifying' && 'This browser is verifying it…'}
        {typeof verified === 'boolean' && ownVerification(verified, role)}
      </p>
    </div>
  );
}
