import type { TransactionDetail } from '../../shared/replica/wallet-types.ts';
import type { LedgerView } from '../state.ts';
import type { Names } from '../wallet-messages.ts';
import { Export } from './export.tsx';
import { FindTransaction } from './find-transaction.tsx';
import { groupByDay } from './history-groups.ts';
import { TransactionLine } from './transaction-line.tsx';
import type { History } from './use-history.ts';
import { ViewHeader } from './view-header.tsx';

interface HistoryViewProps {
  history: History;
  address: string;
  ledger: LedgerView | undefined;
  onOpen(hash: string): void;
  onBack(): void;
}

/** All of it, older pages on demand. */
export function HistoryView({ history, address, ledger, onOpen, onBack }: HistoryViewProps) {
  const { loaded } = history;
  return (
    <div class="stack">
      <ViewHeader title="History" onBack={onBack}>
        <Export address={address} />
      </ViewHeader>
      <HistoryNotice history={history} />
      {loaded && (
        <TransactionList
          transactions={loaded.transactions}
          names={loaded.names}
          address={address}
          needed={ledger?.confirmations}
          onOpen={onOpen}
        />
      )}
      {loaded?.hasOlder && (
        <button type="button" class="button" onClick={history.loadOlder}>
          Show older
        </button>
      )}
      <FindTransaction onFind={onOpen} />
    </div>
  );
}

/** Why there is nothing, or nothing new. */
export function HistoryNotice({ history: { loaded, error } }: { history: History }) {
  if (error?.code === 'LEDGER_NOT_READY' || error?.code === 'ANSWER_LOST') {
    return loaded ? null : <p class="muted">It appears as soon as this browser has read the ledger.</p>;
  }
  if (error) {
    return (
      <p class="notice bad" role="alert">
        {error.message}
      </p>
    );
  }
  if (!loaded) return <p class="muted">Reading the ledger…</p>;
  if (loaded.transactions.length > 0) return null;
  return <p class="muted">Nothing yet. Each answer this computer helps with appears here, and every payment.</p>;
}

interface TransactionListProps {
  transactions: TransactionDetail[];
  names: Names;
  address: string;
  needed: number | undefined;
  onOpen(hash: string): void;
}

export function TransactionList({ transactions, onOpen, ...shown }: TransactionListProps) {
  return groupByDay(transactions, Date.now()).map((group) => (
    <section key={group.day} class="day">
      <h3 class="small muted">{group.day}</h3>
      <ul>
        {group.transactions.map((transaction) => (
          <TransactionLine
            key={transaction.hash}
            transaction={transaction}
            {...shown}
            onOpen={() => onOpen(transaction.hash)}
          />
        ))}
      </ul>
    </section>
  ));
}
