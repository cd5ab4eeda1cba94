import { useEffect, useRef, useState } from 'preact/hooks';
import type { AppState } from '../state.ts';
import { Alc } from '../ui/alc.tsx';
import { CopyIcon } from '../ui/icons.tsx';
import { History } from './history.tsx';
import { Security } from './security.tsx';
import { usernameRefusal } from './status.ts';
import { UsernameForm } from './username-form.tsx';

const COPIED_MS = 2000;

export function Wallet({ state }: { state: AppState }) {
  const { node, settings } = state;
  const { account, address, username } = node;
  return (
    <div class="stack">
      <section class="card balance" aria-labelledby="balance-title">
        <h2 id="balance-title" class="small muted">
          Available
        </h2>
        <p class="amount figures" data-testid="balance-available">
          <Alc micro={account?.availableMicroAlc} />
        </p>
        <p class="small muted figures">
          Pending{' '}
          <span data-testid="balance-pending">
            <Alc micro={account?.pendingMicroAlc} />
          </span>
        </p>
      </section>
      <section class="card stack" aria-labelledby="identity-title">
        <h2 id="identity-title" class="visually-hidden">
          Name and address
        </h2>
        <UsernameForm username={username} wished={settings.username} refusal={usernameRefusal(node)} />
        <Address address={address} />
      </section>
      <Security state={state} />
      <History
        coordinatorUrl={settings.coordinatorUrl}
        address={address}
        isConnected={node.connection === 'connected'}
        // A new transaction changes one of them.
        version={`${account?.transactions} ${account?.pendingMicroAlc}`}
      />
    </div>
  );
}

function Address({ address }: { address: string }) {
  const [isCopied, setCopied] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);

  async function copy() {
    await navigator.clipboard.writeText(address);
    setCopied(true);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setCopied(false), COPIED_MS);
  }

  return (
    <div class="field">
      <div class="row">
        <h3>Address</h3>
        <button type="button" class="button" onClick={copy}>
          <CopyIcon /> Copy<span class="visually-hidden"> address</span>
        </button>
      </div>
      <code class="address" data-testid="address">
        {address}
      </code>
      <p class="small muted" role="status">
        {isCopied ? 'The address is copied.' : 'Whoever knows it can see this wallet’s public history.'}
      </p>
    </div>
  );
}
