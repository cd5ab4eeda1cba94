import { Address } from '../ui/address.tsx';
import type { Lookup } from './use-recipient.ts';

/** Who gets it, before anything is sent. `address`: one's own. */
export function RecipientHint({ lookup, address }: { lookup: Lookup; address: string | undefined }) {
  switch (lookup.kind) {
    case 'none':
      return null;
    case 'looking':
      return <>Looking it up…</>;
    case 'unknown':
      return <>{lookup.reason}</>;
    case 'found': {
      const { recipient } = lookup;
      if (recipient.address === address) return <span class="field-error">This is your own wallet.</span>;
      return (
        <span class="found">
          <strong>{recipient.username === undefined ? 'No username' : `@${recipient.username}`}</strong>
          <Address address={recipient.address} />
        </span>
      );
    }
  }
}
