import { useRef, useState } from 'preact/hooks';
import type { StorageUse, StoredModel } from '../state.ts';
import { size } from '../ui/format.ts';
import { request } from '../ui/link.ts';
import { TaskOutcome } from '../ui/task-outcome.tsx';
import { useTask } from '../ui/use-task.ts';

/** What is kept of models on this computer, and a way to be rid of it. Asked for when it is opened. */
export function Storage() {
  const [use, setUse] = useState<StorageUse>();
  const [done, setDone] = useState('');
  const { error, isBusy, run } = useTask();
  const summary = useRef<HTMLElement>(null);

  const load = () => run(async () => setUse(await request({ type: 'storage' })));
  async function remove({ model, bytes }: StoredModel) {
    await run(async () => {
      await request({ type: 'clearStorage', model });
      setDone(`${size(bytes)} of ${model} deleted.`);
      setUse(await request({ type: 'storage' }));
      // The button that had the focus is gone.
      summary.current?.focus();
    });
  }

  return (
    <details class="card preferences" onToggle={({ currentTarget }) => currentTarget.open && void load()}>
      <summary ref={summary}>Storage</summary>
      <div class="stack tight">
        {use && <Stored use={use} isBusy={isBusy} onDelete={(stored) => void remove(stored)} />}
        <TaskOutcome error={error} done={done} />
      </div>
    </details>
  );
}

interface StoredProps {
  use: StorageUse;
  isBusy: boolean;
  onDelete(stored: StoredModel): void;
}

function Stored({ use: { models, budgetBytes }, isBusy, onDelete }: StoredProps) {
  const bytes = models.reduce((sum, stored) => sum + stored.bytes, 0);
  return (
    <>
      <p class="small muted">
        Parts of models that this computer downloaded, {size(bytes)} of {size(budgetBytes)} at most. What was not needed
        for longest makes room by itself.
      </p>
      {models.length > 0 && (
        <ul class="stored">
          {models.map((stored) => (
            <li key={stored.model} class="row">
              <span class="stored-model">{stored.model}</span>
              <span class="figures muted">{size(stored.bytes)}</span>
              <button type="button" class="button" disabled={isBusy} onClick={() => onDelete(stored)}>
                Delete<span class="visually-hidden"> what is stored of {stored.model}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
