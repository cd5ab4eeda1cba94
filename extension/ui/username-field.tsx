import { AiloError } from '../../shared/errors/index.ts';

/** The coordinator decides; this only spares a round trip. */
const PATTERN = '[a-z][a-z0-9_\\-]{2,19}';

/** Free to leave empty. Part of a form, named `username`. */
export function UsernameField({ initial, refusal }: { initial: string; refusal?: string | undefined }) {
  return (
    <div class="field">
      <label for="username">Username</label>
      <input
        id="username"
        name="username"
        type="text"
        defaultValue={initial}
        pattern={PATTERN}
        maxLength={20}
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        aria-invalid={refusal !== undefined}
        aria-describedby="username-help"
        title={AiloError.of('USERNAME_INVALID', {}).message}
      />
      {refusal ? (
        <p id="username-help" class="notice bad" role="alert">
          {refusal}
        </p>
      ) : (
        <p id="username-help" class="small muted">
          Optional and public: 3 to 20 small letters, digits, “-” or “_”.
        </p>
      )}
    </div>
  );
}
