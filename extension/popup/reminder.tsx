import type { AppState } from '../state.ts';
import { remindersOf } from './reminders.ts';

/** What a wallet with money still lacks, and the way to it: further down, under “Security”. */
export function Reminder({ state: { wallet, node } }: { state: AppState }) {
  const reminders = remindersOf(wallet, node.account);
  if (reminders.length === 0) return null;
  const [id, label] = wallet.backedUp
    ? ['open-password', 'Choose a password']
    : ['open-backup', 'Write the words down'];
  return (
    <p class="notice">
      {reminders.join(' ')}{' '}
      <button type="button" class="link" onClick={() => document.getElementById(id)?.focus()}>
        {label}
      </button>
    </p>
  );
}
