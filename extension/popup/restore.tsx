import { MAX_WORDS_LENGTH } from '../messages.ts';
import type { WalletView } from '../state.ts';
import { shortAddress } from '../ui/format.ts';
import { request } from '../ui/link.ts';
import { TaskForm } from '../ui/task-form.tsx';

interface RestoreProps {
  wallet: WalletView;
  onDone(): void;
  onCancel?: (() => void) | undefined;
}

/** A wallet from its words, in place of the one that is here. */
export function Restore({ wallet: { address, backedUp }, onDone, onCancel }: RestoreProps) {
  async function submit(data: FormData) {
    await request({ type: 'restore', words: String(data.get('words')) });
    onDone();
  }

  return (
    <TaskForm title="Restore a wallet" submit="Restore" onSubmit={submit} onCancel={onCancel}>
      <div class="field">
        <label for="words">The twelve words</label>
        <textarea
          id="words"
          name="words"
          rows={3}
          required
          maxLength={MAX_WORDS_LENGTH}
          autocomplete="off"
          autocapitalize="none"
          // A spelling service would get to see them.
          spellcheck={false}
          aria-describedby="words-help"
        />
      </div>
      <p id="words-help" class="notice">
        The wallet they belong to takes the place of the one that is here
        {address && (
          <>
            {' ('}
            <code title={address}>{shortAddress(address)}</code>)
          </>
        )}
        . It has no password until you choose one.
      </p>
      {!backedUp && (
        <label class="confirm">
          <input type="checkbox" required />
          <span>
            I know that the wallet here was not backed up: without its words on paper, it is lost with all its money.
          </span>
        </label>
      )}
    </TaskForm>
  );
}
