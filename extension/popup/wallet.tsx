import type { AppState } from '../state.ts';
import { live } from '../ui/link.ts';
import { HistoryView } from './history.tsx';
import { Home } from './home.tsx';
import { Receive } from './receive.tsx';
import { Send } from './send.tsx';
import { isDrafted } from './send-draft.ts';
import { TransactionPage } from './transaction.tsx';
import { useHistory } from './use-history.ts';
import { useViews, type View } from './views.ts';

const HOME: View = { name: 'home' };

export function Wallet({ state }: { state: AppState }) {
  // Another wallet begins anew.
  return <WalletOf key={state.node.address} state={state} />;
}

function WalletOf({ state }: { state: AppState }) {
  const { node, ledger } = state;
  // Somebody whose popup closed while they looked up an address goes on where they were.
  const views = useViews(isDrafted() ? [HOME, { name: 'send' }] : [HOME]);
  const history = useHistory(`${live.value} ${ledger?.size} ${ledger?.status}`);
  const { current } = views;
  const open = (hash: string) => views.open({ name: 'transaction', hash });
  switch (current.name) {
    case 'home':
      return <Home state={state} history={history} onOpen={views.open} />;
    case 'send':
      return (
        <Send
          state={state}
          onBack={views.back}
          onTransaction={(hash) => views.replace({ name: 'transaction', hash })}
        />
      );
    case 'receive':
      return <Receive state={state} onBack={views.back} />;
    case 'history':
      return <HistoryView history={history} address={node.address} ledger={ledger} onOpen={open} onBack={views.back} />;
    case 'transaction':
      return (
        <TransactionPage key={current.hash} hash={current.hash} state={state} history={history} onBack={views.back} />
      );
  }
}
