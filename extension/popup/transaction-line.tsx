import type { TransactionDetail } from '../../shared/replica/wallet-types.ts';
import { clock } from '../ui/format.ts';
import { ReceiveIcon, ReturnIcon, RewardIcon, SendIcon } from '../ui/icons.tsx';
import type { Names } from '../wallet-messages.ts';
import { Confirmations } from './confirmations.tsx';
import { amountOf, roleIn, STATE_WORDS, subjectOf, titleOf } from './transactions.ts';

interface TransactionLineProps {
  transaction: TransactionDetail;
  address: string;
  names: Names;
  /** Verifications that confirm a transfer; undefined while it is not known. */
  needed: number | undefined;
  onOpen(): void;
}

export function TransactionLine({ transaction, address, names, needed, onOpen }: TransactionLineProps) {
  const role = roleIn(transaction, address);
  const subject = subjectOf(transaction);
  return (
    <li>
      <button type="button" class="transaction" id={`tx-${transaction.hash}`} onClick={onOpen}>
        <TransactionIcon transaction={transaction} address={address} />
        <span class="title">{titleOf(transaction, address, names)}</span>
        <span class={`figures amount ${transaction.state} ${role === 'recipient' ? 'incoming' : ''}`}>
          {amountOf(transaction, address)}
        </span>
        <span class="subject small muted">
          <time class="figures" dateTime={new Date(transaction.timeMs).toISOString()}>
            {clock(transaction.timeMs)}
          </time>
          {subject !== '' && ` · ${subject}`}
        </span>
        <State transaction={transaction} needed={needed} />
      </button>
    </li>
  );
}

/** Rewards are always confirmed, so nothing is said. */
function State({
  transaction: { type, state, confirmations },
  needed,
}: Pick<TransactionLineProps, 'transaction' | 'needed'>) {
  if (type !== 'transfer') return null;
  return (
    <span class={`state small ${state}`}>
      {state === 'pending' && needed !== undefined ? (
        <Confirmations confirmations={confirmations} needed={needed} />
      ) : (
        STATE_WORDS[state]
      )}
    </span>
  );
}

export function TransactionIcon({ transaction, address }: Pick<TransactionLineProps, 'transaction' | 'address'>) {
  const role = roleIn(transaction, address);
  const { type } = transaction;
  return (
    <span class={`badge ${role === 'recipient' ? 'incoming' : ''}`}>
      {type === 'reversal' ? (
        <ReturnIcon />
      ) : type !== 'transfer' ? (
        <RewardIcon />
      ) : role === 'recipient' ? (
        <ReceiveIcon />
      ) : (
        <SendIcon />
      )}
    </span>
  );
}
