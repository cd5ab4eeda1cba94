import { app, broken, live } from '../ui/link.ts';
import { storedText } from '../ui/stored.ts';
import { Chat } from './chat.tsx';
import { Earnings } from './earnings.tsx';
import { Header } from './header.tsx';
import { troubleOf, usernameRefusal } from './status.ts';
import { Tabs } from './tabs.tsx';
import { Unlock } from './unlock.tsx';
import { Wallet } from './wallet.tsx';

const TABS = [
  { id: 'chat', label: 'Chat', Panel: Chat },
  { id: 'wallet', label: 'Wallet', Panel: Wallet },
  { id: 'earnings', label: 'Earnings', Panel: Earnings },
] as const;

const selected = storedText('tab');

export function Popup() {
  const state = app.value;
  const { id, Panel } = TABS.find((tab) => tab.id === selected.value) ?? TABS[0];
  const isLocked = state?.wallet.locked === 'all';
  const isGrave = !isLocked || state.wallet.error;
  // The wallet says it beside the field that mends it.
  const isSaidBelow = id === 'wallet' && state && (isLocked || usernameRefusal(state) !== undefined);
  const ofNode = state && live.value && !isSaidBelow ? troubleOf(state.node) : undefined;
  const trouble = broken.value ? `Ailo could not start. ${broken.value.message}` : ofNode;
  return (
    <main>
      <Header node={state?.node} />
      <Tabs tabs={TABS} selected={id} onSelect={(tab) => (selected.value = tab)} />
      {trouble && (
        <p class={`notice trouble ${isGrave ? 'bad' : ''}`} role="alert">
          {trouble}{' '}
          {isLocked && (
            <button type="button" class="link" onClick={() => (selected.value = 'wallet')}>
              Go to the wallet
            </button>
          )}
        </p>
      )}
      <div id={`panel-${id}`} class="panel" role="tabpanel" aria-labelledby={`tab-${id}`} key={id}>
        {!state ? <Skeleton /> : isLocked && id === 'wallet' ? <Unlock state={state} /> : <Panel state={state} />}
      </div>
    </main>
  );
}

function Skeleton() {
  return (
    <div class="skeleton" role="status">
      <span class="visually-hidden">Ailo is starting…</span>
      <div />
      <div />
      <div />
    </div>
  );
}
