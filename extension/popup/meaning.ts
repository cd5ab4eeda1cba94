/** What a transaction's state means for the person who looks at it. */
import type { TransactionDetail } from '../../shared/replica/wallet-types.ts';
import { count } from '../ui/format.ts';
import { type Role, roleIn } from './transactions.ts';

/** In a sentence or two. `needed`: verifications that confirm a transfer. */
export function meaningOf(transaction: TransactionDetail, address: string, needed: number): string {
  const { type } = transaction;
  if (type === 'reversal') return 'Most active nodes disputed a transfer, and the network returned its amount.';
  if (type !== 'transfer') return 'Rewards come from the network itself: they are confirmed at once and for good.';
  return MEANINGS[transaction.state][roleIn(transaction, address)](transaction, needed);
}

type Meanings = Record<Role, (transaction: TransactionDetail, needed: number) => string>;

const MEANINGS: Record<TransactionDetail['state'], Meanings> = {
  pending: {
    sender: (t, needed) => `It has left your wallet. The recipient can spend it when ${waiting(t, needed)}.`,
    recipient: (t, needed) => `It is on its way to you. You can spend it when ${waiting(t, needed)}.`,
    other: (t, needed) => `The recipient can spend it when ${waiting(t, needed)}.`,
  },
  confirmed: {
    sender: (_, needed) => `${count(needed, 'wallet')} verified it: it has arrived, and the recipient can spend it.`,
    recipient: (_, needed) => `${count(needed, 'wallet')} verified it: it is yours to spend.`,
    other: (_, needed) => `${count(needed, 'wallet')} verified it: it has arrived.`,
  },
  reported: {
    sender: (t) => `Somebody says that it is bad. ${undecided(t)} the amount comes back to you.`,
    recipient: (t) => `Somebody says that it is bad. ${undecided(t)} the amount goes back to its sender.`,
    other: (t) => `Somebody says that it is bad. ${undecided(t)} the amount goes back to its sender.`,
  },
  disputed: {
    sender: () => 'Most active nodes say that it is bad. Its amount is frozen and comes back to you; the fee does not.',
    recipient: () => 'Most active nodes say that it is bad. Its amount is frozen and goes back to its sender.',
    other: () => 'Most active nodes say that it is bad. Its amount is frozen and goes back to its sender.',
  },
  reversed: {
    sender: () => 'It was taken back: the amount is in your wallet again, but for the fee.',
    recipient: () =>
      'It was taken back: the amount is with its sender again. If you had spent it, what you earn next repays it.',
    other: () => 'It was taken back: the amount is with its sender again.',
  },
};

function waiting({ confirmations }: TransactionDetail, needed: number): string {
  const soFar =
    confirmations === 0 ? 'none has so far' : `${confirmations} ${confirmations === 1 ? 'has' : 'have'} so far`;
  return `${count(needed, 'independent wallet')} ${needed === 1 ? 'has' : 'have'} verified it; ${soFar}`;
}

function undecided({ dispute }: TransactionDetail): string {
  if (!dispute) return 'If most active nodes agree,';
  return `If ${dispute.needed} of ${count(dispute.activeNodes, 'active node')} say so (${dispute.reports.length} so far),`;
}

/** What this browser's own look at a pending transfer came to. `counts`: as WalletService.verify answers. */
export function ownVerification(counts: boolean, role: Role): string {
  if (counts) return 'Verified by this browser just now, and it counts.';
  if (role !== 'other') return 'This browser verified it, too; sender and recipient do not count.';
  return 'This browser verified it, too. It counts once this wallet has earned something in the last days.';
}
