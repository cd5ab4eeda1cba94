import { PASSWORD_MAX_LENGTH, PASSWORD_MIN_LENGTH } from '../../shared/wallet/vault.ts';

interface PasswordFieldProps {
  /** In the form's data, and its id. */
  name: string;
  label: string;
  /** One that is being chosen, not one that exists. */
  isNew?: boolean;
}

export function PasswordField({ name, label, isNew = false }: PasswordFieldProps) {
  return (
    <div class="field">
      <label for={name}>{label}</label>
      <input
        id={name}
        name={name}
        type="password"
        required
        {...(isNew && { minLength: PASSWORD_MIN_LENGTH })}
        maxLength={PASSWORD_MAX_LENGTH}
        autocomplete={isNew ? 'new-password' : 'current-password'}
      />
    </div>
  );
}
