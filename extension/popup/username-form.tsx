import { useState } from 'preact/hooks';
import type { WireError } from '../../shared/errors/index.ts';
import { send } from '../ui/link.ts';
import { UsernameField } from '../ui/username-field.tsx';

interface UsernameFormProps {
  /** The one the network knows. */
  username: string | undefined;
  /** The one asked for; the network may have refused it. */
  wished: string | undefined;
  error: WireError | undefined;
}

export function UsernameForm({ username, wished, error }: UsernameFormProps) {
  const [isEditing, setEditing] = useState(false);
  const refusal = error?.code === 'USERNAME_TAKEN' || error?.code === 'USERNAME_INVALID' ? error.message : undefined;

  if (!isEditing && !refusal) {
    return (
      <div class="row">
        <div class="field">
          <span class="label">Username</span>
          <span class={username ? '' : 'muted'}>{username ? `@${username}` : 'none yet'}</span>
        </div>
        <button type="button" class="button" onClick={() => setEditing(true)}>
          {username ? 'Change' : 'Choose'}
          <span class="visually-hidden"> username</span>
        </button>
      </div>
    );
  }

  function submit(event: SubmitEvent) {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    send({ type: 'change', settings: { username: String(data.get('username')) } });
    setEditing(false);
  }

  return (
    <form class="stack tight" onSubmit={submit}>
      <UsernameField initial={wished ?? username ?? ''} refusal={refusal} />
      <div class="row start">
        <button type="submit" class="button primary">
          Save
        </button>
        {!refusal && (
          <button type="button" class="button" onClick={() => setEditing(false)}>
            Cancel
          </button>
        )}
      </div>
    </form>
  );
}
