import type { AppState } from '../state.ts';
import { Balance } from './balance.tsx';
import { HistoryNotice, TransactionList } from './history.tsx';
import { Reminder } from './reminder.tsx';
import { Security } from './security.tsx';
import { usernameRefusal } from './status.ts';
import type { History } from './use-history.ts';
import { UsernameForm } from './username-form.tsx';
import { Contradicted } from './verified.tsx';
import type { View } from './views.ts';

/** The rest has a view of its own. */
const RECENT = 5;

interface HomeProps {
  state: AppState;
  history: History;
  onOpen(view: View): void;
}

export function Home({ state, history, onOpen }: HomeProps) {
  const { node, settings, ledger } = state;
  const refusal = usernameRefusal(state);
  const { loaded } = history;
  return (
    <div class="stack">
      <Contradicted ledger={ledger} />
      <Balance state={state} onSend={() => onOpen({ name: 'send' })} onReceive={() => onOpen({ name: 'receive' })} />
      <Reminder state={state} />
      {refusal && (
        <section class="card" aria-label="Username">
          <UsernameForm username={node.username} wished={settings.username} refusal={refusal} />
        </section>
      )}
      <section class="history" aria-labelledby="history-title">
        <div class="row">
          <h2 id="history-title">History</h2>
          {loaded && loaded.transactions.length > 0 && (
            <button type="button" id="open-history" class="link" onClick={() => onOpen({ name: 'history' })}>
              Show all
            </button>
          )}
        </div>
        <HistoryNotice history={history} />
        {loaded && (
          <TransactionList
            transactions={loaded.transactions.slice(0, RECENT)}
            names={loaded.names}
            address={node.address}
            needed={ledger?.confirmations}
            onOpen={(hash) => onOpen({ name: 'transaction', hash })}
          />
        )}
      </section>
      <Security state={state} />
    </div>
  );
}
