import { useEffect, useRef, useState } from 'preact/hooks';
import { AiloError } from '../../shared/errors/index.ts';
import type { WalletView } from '../state.ts';
import { request } from '../ui/link.ts';
import { PasswordField } from '../ui/password-field.tsx';
import { TaskForm } from '../ui/task-form.tsx';
import { pickPlaces, wrongPlace } from './backup-check.ts';

interface BackupProps {
  wallet: WalletView;
  onDone(): void;
  onCancel(): void;
}

/** The words on paper: shown, then asked for. They are kept in this component only, for as long as it is shown. */
export function Backup({ wallet, onDone, onCancel }: BackupProps) {
  const [words, setWords] = useState<string[]>();
  const [isWritten, setWritten] = useState(false);
  if (!words) return <Show wallet={wallet} onShow={setWords} onCancel={onCancel} />;
  if (!isWritten) return <Words words={words} onWritten={() => setWritten(true)} onCancel={onCancel} />;
  return <Check words={words} onDone={onDone} onCancel={() => setWritten(false)} />;
}

interface ShowProps extends Omit<BackupProps, 'onDone'> {
  onShow(words: string[]): void;
}

function Show({ wallet: { hasPassword }, onShow, onCancel }: ShowProps) {
  async function submit(data: FormData) {
    const words = await request({
      type: 'words',
      ...(hasPassword && { password: String(data.get('password')) }),
    });
    onShow(words.split(' '));
  }

  return (
    <TaskForm title="Back up the wallet" submit="Show the words" onSubmit={submit} onCancel={onCancel}>
      <p class="small muted">
        Twelve words bring the wallet back on any computer. Whoever knows them has its money, so write them on paper,
        and keep them out of files, photos and other people’s sight.
      </p>
      {hasPassword && <PasswordField name="password" label="Password" />}
    </TaskForm>
  );
}

function Words({ words, onWritten, onCancel }: { words: string[]; onWritten(): void; onCancel(): void }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <div class="stack tight">
      <h3 ref={heading} tabIndex={-1}>
        Write these words down, in this order
      </h3>
      <ol class="words" aria-label="Recovery words">
        {words.map((word, i) => (
          // A word may come twice; its place is its identity.
          <li key={i}>{word}</li>
        ))}
      </ol>
      <div class="row start">
        <button type="button" class="button primary" onClick={onWritten}>
          I have written them down
        </button>
        <button type="button" class="button" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </div>
  );
}

function Check({ words, onDone, onCancel }: { words: string[]; onDone(): void; onCancel(): void }) {
  const [places] = useState(() => pickPlaces(words.length, Math.random));

  async function submit(data: FormData) {
    const place = wrongPlace(words, new Map(places.map((place) => [place, String(data.get(`word-${place}`))])));
    if (place !== undefined) throw AiloError.of('WORD_DIFFERS', { place });
    await request({ type: 'confirmBackup' });
    onDone();
  }

  return (
    <TaskForm title="Check what you have written" submit="Check" onSubmit={submit} onCancel={onCancel}>
      {places.map((place) => (
        <div class="field" key={place}>
          <label for={`word-${place}`}>Word {place}</label>
          <input
            id={`word-${place}`}
            name={`word-${place}`}
            type="text"
            required
            maxLength={32}
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
          />
        </div>
      ))}
    </TaskForm>
  );
}
