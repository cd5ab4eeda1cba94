import { useState } from 'preact/hooks';
import { send } from '../ui/link.ts';
import { UsernameField } from '../ui/username-field.tsx';

interface UsernameFormProps {
  /** The one the network knows. */
  username: string | undefined;
  /** The one asked for, and why the network refused it. */
  wished: string | undefined;
  refusal: string | undefined;
}

export function UsernameForm({ username, wished, refusal }: UsernameFormProps) {
  const [isEditing, setEditing] = useState(false);

  if (!isEditing && !refusal) {
    return (
      <div class="row">
        <div>
          <h3>Username</h3>
          <p class={username ? '' : 'muted'}>{username ? `@${username}` : 'none yet'}</p>
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
