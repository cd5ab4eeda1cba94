import { useState } from 'preact/hooks';

const HASH = /^[0-9a-f]{64}$/;

/** Anybody's transaction by its hash: this browser verifies those of others. */
export function FindTransaction({ onFind }: { onFind(hash: string): void }) {
  const [error, setError] = useState<string>();

  function submit(event: SubmitEvent) {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const hash = String(data.get('hash')).trim().toLowerCase();
    if (HASH.test(hash)) onFind(hash);
    else setError('A transaction’s hash has 64 characters, 0 to 9 and a to f.');
  }

  return (
    <form class="field find" onSubmit={submit}>
      <label for="find-hash">Find a transaction</label>
      <div class="row">
        <input
          id="find-hash"
          name="hash"
          type="text"
          placeholder="Its hash"
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          aria-invalid={error !== undefined}
          aria-describedby="find-error"
          onInput={() => setError(undefined)}
        />
        <button type="submit" id="find-open" class="button">
          Open
        </button>
      </div>
      <p id="find-error" class="small field-error" role="alert">
        {error}
      </p>
    </form>
  );
}
