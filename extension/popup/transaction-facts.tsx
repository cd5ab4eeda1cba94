import type { ComponentChildren } from 'preact';
import type { TransactionDetail } from '../../shared/replica/wallet-types.ts';
import { Address } from '../ui/address.tsx';
import { CopyButton } from '../ui/copy-button.tsx';
import { alc } from '../ui/format.ts';
import type { Names } from '../wallet-messages.ts';
import { subjectOf } from './transactions.ts';

interface TransactionFactsProps {
  transaction: TransactionDetail;
  names: Names;
  address: string;
}

export function TransactionFacts({ transaction, names, address }: TransactionFactsProps) {
  const { type, from, to, feeMicroAlc, memo, timeMs, index, hash, reference } = transaction;
  const party = (who: string) => <Party who={who} name={names[who]} isSelf={who === address} />;
  return (
    <dl class="card facts-list">
      <Fact term="From">{from === undefined ? 'The network' : party(from)}</Fact>
      <Fact term="To">{party(to)}</Fact>
      {type !== 'transfer' && <Fact term="For">{subjectOf(transaction)}</Fact>}
      {type === 'transfer' && <Fact term="Fee">{alc(feeMicroAlc)}, paid by the sender</Fact>}
      {memo !== '' && <Fact term="Memo">{memo}</Fact>}
      <Fact term="Time">
        <time dateTime={new Date(timeMs).toISOString()}>{new Date(timeMs).toLocaleString()}</time>
      </Fact>
      <Fact term="Block">{index.toLocaleString('en')}</Fact>
      <Fact term="Hash">
        <Hash hash={hash} what="transaction’s hash" />
      </Fact>
      {reference !== undefined && type !== 'transfer' && (
        <Fact term={type === 'reversal' ? 'Reverses' : 'Receipt'}>
          <Hash hash={reference} what={type === 'reversal' ? 'hash of the reversed transfer' : 'receipt’s hash'} />
        </Fact>
      )}
    </dl>
  );
}

function Fact({ term, children }: { term: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{term}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Party({ who, name, isSelf }: { who: string; name: string | undefined; isSelf: boolean }) {
  return (
    <>
      {name !== undefined && <strong>@{name} </strong>}
      {isSelf && <span class="pill own">this wallet</span>}
      <Address address={who} />
    </>
  );
}

function Hash({ hash, what }: { hash: string; what: string }) {
  return (
    <span class="hash">
      <code title={hash}>
        {hash.slice(0, 12)}…{hash.slice(-8)}
      </code>
      <CopyButton text={hash} what={what} />
    </span>
  );
}
