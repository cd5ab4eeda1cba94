import { AiloError } from '../../shared/errors/index.ts';
import type { WalletView } from '../state.ts';
import { request } from '../ui/link.ts';
import { PasswordField } from '../ui/password-field.tsx';
import { TaskForm } from '../ui/task-form.tsx';

interface PasswordProps {
  wallet: WalletView;
  onDone(): void;
  onCancel(): void;
}

/** The first password, or another one. */
export function Password({ wallet: { hasPassword }, onDone, onCancel }: PasswordProps) {
  async function submit(data: FormData) {
    const [password, again] = [String(data.get('password')), String(data.get('again'))];
    if (password !== again) throw AiloError.of('PASSWORDS_DIFFER', {});
    const old = data.get('old');
    await request({ type: 'setPassword', ...(old !== null && { old: String(old) }), password });
    onDone();
  }

  return (
    <TaskForm
      title={hasPassword ? 'Change the password' : 'Choose a password'}
      submit="Save"
      onSubmit={submit}
      onCancel={onCancel}
    >
      <p class="small muted">
        Every start of the browser will ask for it; until then this computer neither chats nor contributes. Nobody can
        tell you a forgotten password: then only the twelve words bring the wallet back.
      </p>
      {hasPassword && <PasswordField name="old" label="Present password" />}
      <PasswordField name="password" label="New password" isNew />
      <PasswordField name="again" label="New password once more" isNew />
    </TaskForm>
  );
}
