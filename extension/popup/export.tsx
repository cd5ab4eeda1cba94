import { DownloadIcon } from '../ui/icons.tsx';
import { request } from '../ui/link.ts';
import { useTask } from '../ui/use-task.ts';
import { csvOf } from './csv.ts';
import { loadHistory } from './load-history.ts';

/** The whole history as a file. */
export function Export({ address }: { address: string }) {
  const { isBusy, error, run } = useTask();

  async function download() {
    const { transactions, names } = await loadHistory(request, Number.POSITIVE_INFINITY);
    // The mark at the beginning tells spreadsheets that it is UTF-8.
    const file = new Blob(['\ufeff', csvOf(transactions, address, names)], { type: 'text/csv;charset=utf-8' });
    const link = document.createElement('a');
    link.href = URL.createObjectURL(file);
    link.download = `ailo-${new Date().toISOString().slice(0, 10)}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }

  return (
    <>
      <button type="button" class="button small" disabled={isBusy} onClick={() => run(download)}>
        <DownloadIcon /> {isBusy ? 'Exporting…' : 'Export CSV'}
      </button>
      {error && (
        <p class="notice bad" role="alert">
          {error}
        </p>
      )}
    </>
  );
}
