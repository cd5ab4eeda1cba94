import type { AppState } from '../state.ts';
import { Alc } from '../ui/alc.tsx';
import { CopyButton } from '../ui/copy-button.tsx';
import { shortAddress } from '../ui/format.ts';
import { ReceiveIcon, SendIcon } from '../ui/icons.tsx';
import { Verified } from './verified.tsx';

interface BalanceProps {
  state: AppState;
  onSend(): void;
  onReceive(): void;
}

/** What the wallet has: as verified here, else as the coordinator says. */
export function Balance({ state, onSend, onReceive }: BalanceProps) {
  const { account: verified, ledger, node } = state;
  const account = verified ?? node.account;
  const username = verified?.username ?? node.username;
  return (
    <section class="card balance" aria-labelledby="balance-title">
      <div class="row identity">
        <p>{username ? `@${username}` : <span class="muted">Your wallet</span>}</p>
        <CopyButton text={node.address} what="address" class="chip">
          <code data-testid="address" title={node.address}>
            {shortAddress(node.address)}
          </code>
        </CopyButton>
      </div>
      <div>
        <h2 id="balance-title" class="small muted">
          Available
        </h2>
        <p class="amount figures" data-testid="balance-available">
          <Alc micro={account?.availableMicroAlc} />
        </p>
        <Pending micro={account?.pendingMicroAlc} needed={ledger?.confirmations} />
      </div>
      {account?.availableMicroAlc.startsWith('-') && (
        <p class="notice">A transfer you had received and spent was reversed; what you earn next repays it.</p>
      )}
      <div class="actions">
        <button type="button" id="open-send" class="button primary" onClick={onSend}>
          <SendIcon /> Send
        </button>
        <button type="button" id="open-receive" class="button" onClick={onReceive}>
          <ReceiveIcon /> Receive
        </button>
      </div>
      {!verified && node.account && ledger?.status !== 'contradicted' && (
        <p class="small muted">The balance is what the coordinator says until this browser has verified it.</p>
      )}
      <Verified state={state} />
    </section>
  );
}

/** What it means is told on demand. */
function Pending({ micro, needed }: { micro: string | undefined; needed: number | undefined }) {
  return (
    <details class="pending small muted figures">
      <summary>
        Pending{' '}
        <span data-testid="balance-pending">
          <Alc micro={micro} />
        </span>
      </summary>
      <p>
        Received, but not yours to spend yet: {needed === undefined ? 'enough' : needed} independent wallets have to
        verify each transfer first. What is disputed waits here, too.
      </p>
    </details>
  );
}
