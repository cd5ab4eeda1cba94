import { useEffect, useState } from 'preact/hooks';
import { toAiloError } from '../../shared/errors/index.ts';
import type { TransactionRecord } from '../../shared/protocol/http.ts';
import { when } from '../ui/format.ts';
import { fetchTransactions, lineOf } from './transactions.ts';

interface HistoryProps {
  coordinatorUrl: string;
  address: string;
  /** Without a connection the popup already says what is wrong; with a new one, it is worth trying again. */
  isConnected: boolean;
  /** Changes when there is something new to fetch. */
  version: string;
}

interface Page {
  records: TransactionRecord[];
  next?: number | undefined;
}

export function History({ coordinatorUrl, address, isConnected, version }: HistoryProps) {
  const [page, setPage] = useState<Page>();
  const [failure, setFailure] = useState<string>();

  async function load(signal: AbortSignal, shown: Page = { records: [] }) {
    const { records, next: before } = shown;
    try {
      const more = await fetchTransactions({
        coordinatorUrl,
        address,
        signal,
        ...(before !== undefined && { before }),
      });
      if (signal.aborted) return;
      setPage({ records: [...records, ...more.transactions], next: more.next });
      setFailure(undefined);
    } catch (thrown) {
      if (!signal.aborted) setFailure(toAiloError(thrown).message);
    }
  }

  useEffect(() => {
    const cancel = new AbortController();
    void load(cancel.signal);
    return () => cancel.abort();
  }, [coordinatorUrl, address, isConnected, version]);

  return (
    <section class="history" aria-labelledby="history-title">
      <h2 id="history-title">History</h2>
      {failure && isConnected && (
        <p class="notice bad" role="alert">
          {failure}
        </p>
      )}
      {!page && !isConnected && <p class="muted">It appears when there is a connection.</p>}
      {page?.records.length === 0 && (
        <p class="muted">Nothing yet. Each answer this computer helps with appears here.</p>
      )}
      <ul>
        {page?.records.map((record) => (
          <Line key={record.index} record={record} address={address} />
        ))}
      </ul>
      {page?.next !== undefined && (
        <button type="button" class="button" onClick={() => load(new AbortController().signal, page)}>
          Show older
        </button>
      )}
    </section>
  );
}

function Line({ record, address }: { record: TransactionRecord; address: string }) {
  const { title, amount, isIncoming, state } = lineOf(record, address);
  return (
    <li class="transaction">
      <span>{title}</span>
      <span class={`figures ${isIncoming ? 'incoming' : ''}`}>{amount}</span>
      <time class="small muted figures" dateTime={new Date(record.timeMs).toISOString()}>
        {when(record.timeMs, Date.now())}
      </time>
      <span class="small muted">{state}</span>
    </li>
  );
}
