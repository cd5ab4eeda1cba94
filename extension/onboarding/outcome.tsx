import type { NodeState } from '../../shared/node/types.ts';
import { contributionOf } from '../popup/status.ts';

interface OutcomeProps {
  contributing: boolean;
  node: NodeState;
  trouble: string | undefined;
}

/** What the choice led to. */
export function Outcome({ contributing, node, trouble }: OutcomeProps) {
  return (
    <div role="status">
      <h2>{contributing ? 'You are contributing. Thank you.' : 'You are chatting only.'}</h2>
      <p>
        {contributing
          ? contributionOf(node, contributing)
          : 'Nothing is computed for others. You can switch it on at any time, in the popup under Earnings.'}
      </p>
      {trouble && <p class="notice bad">{trouble}</p>}
      <p>
        <a href="popup.html">Open the chat</a>
      </p>
      <p class="muted">Ailo’s button in the toolbar opens chat, wallet and earnings. This page can be closed.</p>
    </div>
  );
}
