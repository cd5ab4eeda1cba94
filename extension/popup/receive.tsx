import { useMemo } from 'preact/hooks';
import type { AppState } from '../state.ts';
import { Address } from '../ui/address.tsx';
import { CopyButton } from '../ui/copy-button.tsx';
import { qrPath } from './qr-path.ts';
import { usernameRefusal } from './status.ts';
import { UsernameForm } from './username-form.tsx';
import { ViewHeader } from './view-header.tsx';

/** All that somebody needs who wants to pay this wallet. */
export function Receive({ state, onBack }: { state: AppState; onBack(): void }) {
  const { node, settings, account } = state;
  const { address } = node;
  return (
    <div class="stack receive">
      <ViewHeader title="Receive" onBack={onBack} />
      <QrCode text={address} label="The address of this wallet as a QR code" />
      <section class="card stack tight" aria-labelledby="address-title">
        <h3 id="address-title">Address</h3>
        <Address address={address} />
        <CopyButton text={address} what="address" class="button primary">
          <span aria-hidden="true">Copy address</span>
        </CopyButton>
        <p class="small muted">Whoever knows it can pay you, and see this wallet’s public history.</p>
      </section>
      <section class="card" aria-label="Username">
        <UsernameForm
          username={account?.username ?? node.username}
          wished={settings.username}
          refusal={usernameRefusal(state)}
        />
      </section>
    </div>
  );
}

/** Dark on light in both colour schemes: some cameras read nothing else. */
function QrCode({ text, label }: { text: string; label: string }) {
  const { size, path } = useMemo(() => qrPath(text), [text]);
  return (
    <svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label} shape-rendering="crispEdges">
      <rect width={size} height={size} fill="#ffffff" />
      <path d={path} fill="#000000" />
    </svg>
  );
}
