import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { useTask } from './use-task.ts';

interface TaskFormProps {
  /** Its heading, which also names it. */
  title: string;
  submit: string;
  /** Reads the fields and does the work; what it throws is shown as a sentence. */
  onSubmit(data: FormData): Promise<void>;
  onCancel?: (() => void) | undefined;
  children: ComponentChildren;
}

/** A form that waits for an answer. Its first field has the focus. */
export function TaskForm({ title, submit, onSubmit, onCancel, children }: TaskFormProps) {
  const form = useRef<HTMLFormElement>(null);
  const { isBusy, error, run } = useTask();
  useEffect(() => form.current!.querySelector<HTMLElement>('input, textarea, button')?.focus(), []);

  function send(event: SubmitEvent) {
    event.preventDefault();
    void run(() => onSubmit(new FormData(form.current!)));
  }

  return (
    <form class="stack tight" ref={form} aria-label={title} aria-busy={isBusy} onSubmit={send}>
      <h3>{title}</h3>
      {children}
      {error && (
        <p class="notice bad" role="alert">
          {error}
        </p>
      )}
      <div class="row start">
        <button type="submit" class="button primary" disabled={isBusy}>
          {submit}
        </button>
        {onCancel && (
          <button type="button" class="button" onClick={onCancel}>
            Cancel
          </button>
        )}
      </div>
    </form>
  );
}
