import { useEffect, useRef } from 'preact/hooks';
import { alc, shortAddress } from '../ui/format.ts';
import { CheckIcon } from '../ui/icons.tsx';
import type { Sent } from './use-payment.ts';

interface SentNoteProps {
  sent: Sent;
  needed: number | undefined;
  onTransaction(hash: string): void;
  onDone(): void;
}

export function SentNote({ sent: { recipient, amountMicroAlc, hash }, needed, onTransaction, onDone }: SentNoteProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current!.focus(), []);
  const name = recipient.username === undefined ? shortAddress(recipient.address) : `@${recipient.username}`;
  return (
    <section class="card sent">
      <span class="badge incoming">
        <CheckIcon />
      </span>
      <h3 ref={heading} tabIndex={-1}>
        {alc(String(amountMicroAlc))} sent to {name}
      </h3>
      <p class="muted">
        It stands in the ledger. {name} can spend it when {needed ?? 'enough'} independent wallets have verified it.
      </p>
      <div class="row">
        <button type="button" class="button primary" onClick={() => onTransaction(hash)}>
          See the transaction
        </button>
        <button type="button" class="button" onClick={onDone}>
          Done
        </button>
      </div>
    </section>
  );
}
