import { useState } from 'preact/hooks';
import type { AppState, LedgerView } from '../state.ts';
import { live } from '../ui/link.ts';
import { useNow } from '../ui/use-now.ts';
import { Confirmation } from './confirmation.tsx';
import { DisputeCard } from './dispute.tsx';
import { meaningOf } from './meaning.ts';
import { ReportDialog } from './report.tsx';
import { TransactionFacts } from './transaction-facts.tsx';
import { TransactionIcon } from './transaction-line.tsx';
import { amountOf, canReport, roleIn, STATE_WORDS, titleOf } from './transactions.ts';
import type { History } from './use-history.ts';
import { type TransactionState, useTransaction } from './use-transaction.ts';
import { Verifiers } from './verifiers.tsx';
import { ViewHeader } from './view-header.tsx';

interface TransactionPageProps {
  hash: string;
  state: AppState;
  history: History;
  onBack(): void;
}

/** Everything that is known of one transaction. */
export function TransactionPage({ hash, state: { node, ledger }, history, onBack }: TransactionPageProps) {
  const looked = useTransaction(hash, `${live.value} ${ledger?.size}`, history);
  return (
    <div class="stack">
      <ViewHeader title="Transaction" onBack={onBack} />
      {looked.error && (
        <p class="notice bad" role="alert">
          {looked.error.message}
        </p>
      )}
      {!looked.shown && !looked.error && <p class="muted">Reading the ledger…</p>}
      {looked.shown && ledger && <Known looked={looked} address={node.address} ledger={ledger} />}
    </div>
  );
}

interface KnownProps {
  looked: TransactionState;
  address: string;
  ledger: LedgerView;
}

function Known({ looked, address, ledger }: KnownProps) {
  const { transaction, names } = looked.shown!;
  const { type, state, verifiers, dispute } = transaction;
  const role = roleIn(transaction, address);
  return (
    <>
      <section class="card headline" aria-label={titleOf(transaction, address, names)}>
        <TransactionIcon transaction={transaction} address={address} />
        <p class={`amount figures ${state} ${role === 'recipient' ? 'incoming' : ''}`}>
          {amountOf(transaction, address)}
        </p>
        <p>{titleOf(transaction, address, names)}</p>
        <p class={`pill ${state}`} data-testid="transaction-state">
          {STATE_WORDS[state]}
        </p>
        {type === 'transfer' && state === 'pending' && (
          <Confirmation
            confirmations={transaction.confirmations}
            needed={ledger.confirmations}
            verified={looked.verified}
            role={role}
          />
        )}
        <p class="small muted" data-testid="meaning">
          {meaningOf(transaction, address, ledger.confirmations)}
        </p>
      </section>
      {dispute && <DisputeCard dispute={dispute} names={names} address={address} />}
      <TransactionFacts transaction={transaction} names={names} address={address} />
      {type === 'transfer' && <Verifiers verifiers={verifiers} names={names} address={address} />}
      <Report looked={looked} address={address} ledger={ledger} />
    </>
  );
}

/** Where it can still be reported. */
function Report({ looked, address, ledger }: KnownProps) {
  const [isOpen, setOpen] = useState(false);
  const nowMs = useNow(10_000);
  const { transaction } = looked.shown!;
  if (!canReport(transaction, ledger.reportWindowMs, nowMs)) return null;
  if (transaction.dispute?.reports.some((report) => report.address === address)) return null;
  function close(isDone: boolean) {
    setOpen(false);
    if (isDone) looked.refresh();
  }
  return (
    <>
      <button type="button" class="button" onClick={() => setOpen(true)}>
        Report this transfer
      </button>
      {isOpen && <ReportDialog hash={transaction.hash} onClose={close} />}
    </>
  );
}
