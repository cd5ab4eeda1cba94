import { useState } from 'preact/hooks';
import type { AppState } from '../state.ts';
import { shortAddress } from '../ui/format.ts';
import { request } from '../ui/link.ts';
import { PasswordField } from '../ui/password-field.tsx';
import { TaskForm } from '../ui/task-form.tsx';
import { Restore } from './restore.tsx';

/** In place of a wallet that is locked or cannot be read. */
export function Unlock({ state: { wallet } }: { state: AppState }) {
  const [isForgotten, setForgotten] = useState(false);
  const { address, error } = wallet;
  const heading = <h2 class="visually-hidden">Wallet</h2>;
  if (error || isForgotten) {
    return (
      <div class="stack">
        {heading}
        {error && (
          <p class="notice bad" role="alert">
            {error.message}
          </p>
        )}
        <section class="card">
          <Restore wallet={wallet} onDone={() => {}} onCancel={error ? undefined : () => setForgotten(false)} />
        </section>
      </div>
    );
  }
  return (
    <div class="stack">
      {heading}
      <section class="card stack">
        <TaskForm
          title="The wallet is locked"
          submit="Unlock"
          onSubmit={(data) => request({ type: 'unlock', password: String(data.get('password')) })}
        >
          <p class="small muted">
            Until {address ? <code title={address}>{shortAddress(address)}</code> : 'it'} is unlocked, this computer
            neither chats nor contributes.
          </p>
          <PasswordField name="password" label="Password" />
        </TaskForm>
        <button type="button" class="link start" onClick={() => setForgotten(true)}>
          Forgotten? Restore the wallet with its words
        </button>
      </section>
    </div>
  );
}
