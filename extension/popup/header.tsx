import browser from 'webextension-polyfill';
import type { NodeState } from '../../shared/node/types.ts';
import { platform } from '../platform/chrome.ts';
import { InfoIcon, Logo, PanelIcon } from '../ui/icons.tsx';
import { statusOf } from './status.ts';

export function Header({ node }: { node: NodeState | undefined }) {
  const { tone, label } = node ? statusOf(node) : { tone: 'waiting', label: 'Starting…' };
  return (
    <header class="header">
      <Logo size={26} />
      <h1>Ailo</h1>
      <p class={`status ${tone}`} role="status">
        {label}
      </p>
      <span class="spacer" />
      <button
        type="button"
        class="icon-button"
        title="What Ailo does on this computer"
        aria-label="What Ailo does on this computer"
        onClick={() => browser.runtime.openOptionsPage()}
      >
        <InfoIcon />
      </button>
      {location.search === '?popup' && (
        <button
          type="button"
          class="icon-button"
          title="Open beside the page"
          aria-label="Open in the side panel"
          onClick={() => platform.openSidePanel().then(() => window.close())}
        >
          <PanelIcon />
        </button>
      )}
    </header>
  );
}
