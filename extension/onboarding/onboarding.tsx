import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import * as v from 'valibot';
import { Command, CoordinatorUrl } from '../messages.ts';
import { troubleOf, usernameRefusal } from '../popup/status.ts';
import type { AppState } from '../state.ts';
import { Logo } from '../ui/icons.tsx';
import { app, send } from '../ui/link.ts';
import { UsernameField } from '../ui/username-field.tsx';
import { Outcome } from './outcome.tsx';
import { Terms } from './terms.tsx';

export function Onboarding() {
  const state = app.value;
  return (
    <main class="page">
      <header class="hero">
        <Logo size={56} />
        <h1>Run language models together</h1>
        <p class="lead">
          Ailo joins many browsers to run models that none of them could run alone. Before it uses anything of this
          computer, please read what that means. Nothing is computed until you say so.
        </p>
      </header>
      <Terms />
      {/* The form's first values are the stored ones, so it waits for them. */}
      {state && <Consent state={state} />}
    </main>
  );
}

function Consent({ state }: { state: AppState }) {
  const { settings, node } = state;
  const form = useRef<HTMLFormElement>(null);
  const outcome = useRef<HTMLDivElement>(null);
  const isAnswered = useSignal(false);
  const urlError = useSignal<string | undefined>(undefined);
  const refusal = usernameRefusal(state);

  useEffect(() => {
    if (isAnswered.value) outcome.current?.focus();
  }, [isAnswered.value]);

  function answer(contributing: boolean) {
    if (!form.current!.reportValidity()) return;
    const data = new FormData(form.current!);
    const coordinatorUrl = String(data.get('coordinator'));
    const url = v.safeParse(CoordinatorUrl, coordinatorUrl);
    urlError.value = url.success ? undefined : url.issues[0].message;
    if (!url.success) return;
    const username = String(data.get('username'));
    const change = { consented: true, contributing, coordinatorUrl, username };
    send(v.parse(Command, { type: 'change', settings: change }));
    isAnswered.value = true;
  }

  return (
    <>
      <form
        class="card consent"
        ref={form}
        onSubmit={(event) => {
          event.preventDefault();
          answer(true);
        }}
      >
        <UsernameField initial={settings.username ?? node.username ?? ''} refusal={refusal} />
        <details open={urlError.value !== undefined}>
          <summary>Advanced</summary>
          <div class="field">
            <label for="coordinator">Coordinator address</label>
            <input
              id="coordinator"
              name="coordinator"
              type="url"
              required
              defaultValue={settings.coordinatorUrl}
              aria-invalid={urlError.value !== undefined}
              aria-describedby="coordinator-help"
            />
            <p id="coordinator-help" class={urlError.value ? 'notice bad' : 'small muted'}>
              {urlError.value ??
                'The server that brings people and models together. Change it only if you know another.'}
            </p>
          </div>
        </details>
        <div class="choices">
          <button type="submit" class="button primary">
            {settings.contributing ? 'Keep contributing' : 'Start contributing'}
          </button>
          <button type="button" class="button" onClick={() => answer(false)}>
            Only chat for now
          </button>
        </div>
      </form>
      {(isAnswered.value || settings.consented) && (
        <div class="outcome" ref={outcome} tabIndex={-1}>
          <Outcome contributing={settings.contributing} node={node} trouble={refusal ?? troubleOf(node)} />
        </div>
      )}
    </>
  );
}
