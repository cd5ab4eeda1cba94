import { shortAddress } from '../ui/format.ts';
import type { Names } from '../wallet-messages.ts';

export interface PersonProps {
  /** Whom it is about. */
  who: string;
  names: Names;
  /** One's own. */
  address: string;
}

/** A wallet in few characters: its name, its short address, whether it is this one. */
export function Person({ who, names, address }: PersonProps) {
  return (
    <span title={who}>
      {names[who] !== undefined && <strong>@{names[who]} </strong>}
      <code>{shortAddress(who)}</code>
      {who === address && <span class="pill own">this browser</span>}
    </span>
  );
}
