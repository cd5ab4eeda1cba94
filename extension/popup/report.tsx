import { useState } from 'preact/hooks';
import { MAX_REASON_BYTES } from '../../shared/ledger/limits.ts';
import { Dialog } from '../ui/dialog.tsx';
import { request } from '../ui/link.ts';
import { useTask } from '../ui/use-task.ts';
import { ByteCount } from './byte-count.tsx';
import { memoBytes } from './send-check.ts';

interface ReportDialogProps {
  /** Of the transfer. */
  hash: string;
  onClose(isDone: boolean): void;
}

/** What a report does, and why it is made. */
export function ReportDialog({ hash, onClose }: ReportDialogProps) {
  const [reason, setReason] = useState('');
  const { isBusy, error, run } = useTask();
  const bytes = memoBytes(reason.trim());
  const problem = bytes > MAX_REASON_BYTES ? `That is ${bytes - MAX_REASON_BYTES} bytes too long.` : error;

  async function report() {
    await request({ type: 'walletReport', hash, reason: reason.trim() });
    onClose(true);
  }

  function submit(event: SubmitEvent) {
    event.preventDefault();
    if (bytes > 0 && bytes <= MAX_REASON_BYTES) void run(report);
  }

  return (
    <Dialog title="Report this transfer?" isBusy={isBusy} onClose={() => onClose(false)}>
      <form class="stack tight" onSubmit={submit}>
        <p class="small">
          A report says in public, signed with your wallet, that this transfer is bad. When most active nodes say so,
          its amount is frozen and goes back to the sender. Nobody can take a report back, so report only what you know.
        </p>
        <div class="field">
          <div class="row">
            <label for="report-reason">Why is it bad?</label>
            <ByteCount bytes={bytes} limit={MAX_REASON_BYTES} />
          </div>
          <input
            id="report-reason"
            type="text"
            required
            maxLength={MAX_REASON_BYTES}
            autocomplete="off"
            value={reason}
            aria-invalid={problem !== undefined}
            aria-describedby="report-problem"
            onInput={({ currentTarget }) => setReason(currentTarget.value)}
          />
          <p id="report-problem" class="small field-error" role="alert">
            {problem}
          </p>
        </div>
        <div class="row end">
          <button type="button" class="button" disabled={isBusy} onClick={() => onClose(false)}>
            Cancel
          </button>
          <button type="submit" class="button danger" disabled={isBusy || bytes === 0}>
            {isBusy ? 'Reporting…' : 'Report'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
