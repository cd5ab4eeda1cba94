import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { type AppState, AUTO_LOCK_CHOICES_MINUTES, type Settings } from '../state.ts';
import { request, send } from '../ui/link.ts';
import { useTask } from '../ui/use-task.ts';
import { Backup } from './backup.tsx';
import { Password } from './password.tsx';
import { Restore } from './restore.tsx';

const FORMS = { password: Password, backup: Backup, restore: Restore };
type FormName = keyof typeof FORMS;

/** Backup, password, locking and restoring; one of its forms at a time takes its place. */
export function Security({ state }: { state: AppState }) {
  const [open, setOpen] = useState<FormName>();
  const [done, setDone] = useState('');
  const opener = useRef<FormName>(undefined);

  useEffect(() => {
    // Whoever used the keyboard goes on where they were.
    if (!open && opener.current) document.getElementById(`open-${opener.current}`)?.focus();
    opener.current = open;
  }, [open]);

  function show(form: FormName | undefined, sentence = '') {
    setDone(sentence);
    setOpen(form);
  }

  const Form = open && FORMS[open];
  return (
    <section class="card stack" aria-labelledby="security-title">
      <h2 id="security-title">Security</h2>
      {Form ? (
        <Form wallet={state.wallet} onDone={() => show(undefined, DONE[open])} onCancel={() => show(undefined)} />
      ) : (
        <Overview state={state} onOpen={show} />
      )}
      <p class="small muted" role="status" hidden={done === ''}>
        {done}
      </p>
    </section>
  );
}

const DONE: Record<FormName, string> = {
  password: 'The password is set.',
  backup: 'The words are written down and checked.',
  restore: 'The wallet is restored.',
};

function Overview({ state, onOpen }: { state: AppState; onOpen(form: FormName): void }) {
  const { wallet, settings } = state;
  const { hasPassword, backedUp } = wallet;
  return (
    <>
      <Row title="Recovery words" state={backedUp ? 'Written down and checked' : 'Not written down yet'}>
        <button type="button" id="open-backup" class="button" onClick={() => onOpen('backup')}>
          {backedUp ? 'Show' : 'Back up'}
          <span class="visually-hidden"> the recovery words</span>
        </button>
      </Row>
      <Row title="Password" state={hasPassword ? 'Asked for at every start of the browser' : 'None yet'}>
        <button type="button" id="open-password" class="button" onClick={() => onOpen('password')}>
          {hasPassword ? 'Change' : 'Choose'}
          <span class="visually-hidden"> the password</span>
        </button>
      </Row>
      {hasPassword && <Locking isSpendingLocked={wallet.locked === 'spending'} settings={settings} />}
      <Row title="Another wallet" state="From its twelve words">
        <button type="button" id="open-restore" class="button" onClick={() => onOpen('restore')}>
          Restore<span class="visually-hidden"> a wallet</span>
        </button>
      </Row>
    </>
  );
}

function Locking({ isSpendingLocked, settings }: { isSpendingLocked: boolean; settings: Settings }) {
  const { error, isBusy, run } = useTask();
  return (
    <>
      <div class="field">
        <label for="auto-lock">Lock sending after</label>
        <div class="row">
          <select
            id="auto-lock"
            value={settings.autoLockMinutes}
            aria-describedby="auto-lock-help"
            onChange={({ currentTarget }) => {
              const autoLockMinutes = Number(currentTarget.value) as Settings['autoLockMinutes'];
              send({ type: 'change', settings: { autoLockMinutes } });
            }}
          >
            {AUTO_LOCK_CHOICES_MINUTES.map((minutes) => (
              <option key={minutes} value={minutes}>
                {minutes === 0 ? 'Never' : `${minutes} minutes unused`}
              </option>
            ))}
          </select>
          <button type="button" class="button" disabled={isBusy} onClick={() => run(() => request({ type: 'lock' }))}>
            Lock now
          </button>
        </div>
        <p id="auto-lock-help" class="small muted">
          {isSpendingLocked
            ? 'Sending is locked: the next payment asks for the password. Contributing goes on.'
            : 'Then a payment asks for the password, and contributing goes on. “Lock now” ends both.'}
        </p>
      </div>
      {error && (
        <p class="notice bad" role="alert">
          {error}
        </p>
      )}
    </>
  );
}

function Row({ title, state, children }: { title: string; state: string; children: ComponentChildren }) {
  return (
    <div class="row">
      <div>
        <h3>{title}</h3>
        <p class="small muted">{state}</p>
      </div>
      {children}
    </div>
  );
}
