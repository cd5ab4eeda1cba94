import { useEffect, useRef, useState } from 'preact/hooks';
import { MAX_OWN_TEXT, MAX_OWN_TEXT_NAME } from '../messages.ts';
import type { OwnText } from '../state.ts';
import { ago, count, size } from '../ui/format.ts';
import { request } from '../ui/link.ts';
import { TaskOutcome } from '../ui/task-outcome.tsx';
import { useTask } from '../ui/use-task.ts';

/** Texts of the person's own that training may learn from: added, looked at and deleted here. */
export function OwnTexts({ isUsed }: { isUsed: boolean }) {
  const [texts, setTexts] = useState<OwnText[]>();
  const [done, setDone] = useState('');
  const { error, isBusy, run } = useTask();
  const summary = useRef<HTMLElement>(null);

  async function change(work: () => Promise<string>) {
    await run(async () => {
      setDone(await work());
      setTexts(await request({ type: 'ownTexts' }));
    });
  }
  async function remove({ id, name }: OwnText) {
    await change(async () => {
      await request({ type: 'removeOwnText', id });
      return `${name} deleted.`;
    });
    // The button that had the focus is gone.
    summary.current?.focus();
  }

  return (
    <details
      class="card preferences"
      onToggle={({ currentTarget }) => currentTarget.open && void change(async () => '')}
    >
      <summary ref={summary}>Texts of your own</summary>
      <div class="stack tight">
        <p class="small muted">
          Kept on this device. {isUsed ? 'Training learns' : 'Only if you choose so above, training learns'} from them
          here; what it learned leaves in sums with others’ only. A model may repeat what it learned: add no secrets.
        </p>
        {texts && texts.length > 0 && (
          <ul class="stored">
            {texts.map((text) => (
              <Row key={text.id} text={text} isBusy={isBusy} onDelete={() => void remove(text)} />
            ))}
          </ul>
        )}
        <AddText isBusy={isBusy} onAdd={change} />
        <TaskOutcome error={error} done={done} />
      </div>
    </details>
  );
}

interface RowProps {
  text: OwnText;
  isBusy: boolean;
  onDelete(): void;
}

function Row({ text: { name, bytes, characters, addedMs, uses }, isBusy, onDelete }: RowProps) {
  const nowMs = Date.now();
  return (
    <li class="row">
      <div class="stored-model" data-testid="own-text">
        <p>{name}</p>
        <p class="small muted figures">
          {count(characters, 'character')}, {size(bytes)}, added {ago(nowMs - addedMs)}
        </p>
        {uses.length === 0 && <p class="small muted">Not used yet</p>}
        {uses.map(({ campaign, rounds, lastMs }) => (
          <p key={campaign} class="small muted figures">
            In {count(rounds, 'round')} of {campaign}, last {ago(nowMs - lastMs)}
          </p>
        ))}
      </div>
      <button type="button" class="button" disabled={isBusy} onClick={onDelete}>
        Delete<span class="visually-hidden"> {name} for good</span>
      </button>
    </li>
  );
}

function AddText({ isBusy, onAdd }: { isBusy: boolean; onAdd(work: () => Promise<string>): Promise<void> }) {
  const [pasted, setPasted] = useState('');
  const files = useRef<HTMLInputElement>(null);
  // A file list cannot be controlled by its value.
  useEffect(() => {
    if (!isBusy && files.current) files.current.value = '';
  }, [isBusy]);

  function addFiles(chosen: File[]) {
    void onAdd(async () => {
      for (const file of chosen) await add(file.name, await file.text());
      return chosen.length === 1 ? `${chosen[0]!.name} added.` : `${count(chosen.length, 'file')} added.`;
    });
  }
  function addPasted(event: Event) {
    event.preventDefault();
    void onAdd(async () => {
      await add(`Pasted: ${pasted.trim().split('\n')[0]!.slice(0, 24)}…`, pasted);
      setPasted('');
      return 'Text added.';
    });
  }

  return (
    <form class="stack tight" onSubmit={addPasted}>
      <div class="field">
        <label for="own-files">Add text files</label>
        <input
          id="own-files"
          ref={files}
          type="file"
          accept=".txt,.md,.csv,.json,text/*"
          multiple
          disabled={isBusy}
          onChange={({ currentTarget }) => addFiles([...(currentTarget.files ?? [])])}
        />
      </div>
      <div class="field">
        <label for="own-paste">Or paste text</label>
        <textarea
          id="own-paste"
          rows={3}
          maxLength={MAX_OWN_TEXT}
          value={pasted}
          onInput={({ currentTarget }) => setPasted(currentTarget.value)}
        />
      </div>
      <div class="row end">
        <button type="submit" class="button" disabled={isBusy || pasted.trim() === ''}>
          Add text
        </button>
      </div>
    </form>
  );
}

function add(name: string, text: string): Promise<void> {
  return request({ type: 'addOwnText', name: name.slice(0, MAX_OWN_TEXT_NAME), text });
}
