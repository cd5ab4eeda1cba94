import { useEffect, useRef } from 'preact/hooks';
import { MAX_TEXT } from '../messages.ts';
import { SendIcon, StopIcon } from '../ui/icons.tsx';
import { storedText } from '../ui/stored.ts';

/** Survives a popup that closes in the middle of a sentence. */
const draft = storedText('draft');

interface ComposerProps {
  isRunning: boolean;
  /** The model goes on with the text instead of answering it. */
  continues: boolean;
  /** Why nothing can be sent now. */
  obstacle: string | undefined;
  onSend(text: string): void;
  onStop(): void;
}

export function Composer({ isRunning, continues, obstacle, onSend, onStop }: ComposerProps) {
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => field.current?.focus(), []);
  const canSend = !isRunning && obstacle === undefined && (continues || draft.value.trim() !== '');

  function submit(event: Event) {
    event.preventDefault();
    if (!canSend) return;
    onSend(draft.value);
    draft.value = '';
  }

  function onKeyDown(event: KeyboardEvent) {
    // Enter also ends the composition of a character, which is not meant for us.
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) submit(event);
  }

  return (
    <form class="composer" onSubmit={submit}>
      <label class="visually-hidden" for="message">
        Message
      </label>
      <div class="composer-field">
        <textarea
          id="message"
          ref={field}
          rows={1}
          maxLength={MAX_TEXT}
          placeholder={continues ? 'Begin a story…' : 'Ask something…'}
          aria-describedby="composer-hint"
          value={draft.value}
          onInput={({ currentTarget }) => {
            draft.value = currentTarget.value;
          }}
          onKeyDown={onKeyDown}
        />
        {isRunning ? (
          <button
            type="button"
            class="round"
            aria-label="Stop"
            title="Stop"
            // It stands where Send was: the second half of a double click is not meant for it.
            onClick={({ detail }) => detail < 2 && onStop()}
          >
            <StopIcon />
          </button>
        ) : (
          <button type="submit" class="round" aria-label="Send" title="Send" disabled={!canSend}>
            <SendIcon />
          </button>
        )}
      </div>
      <p id="composer-hint" class="hint small muted">
        {obstacle ??
          (continues
            ? 'This model goes on with the text you begin, or begins one itself.'
            : 'Enter sends, Shift+Enter starts a new line.')}
      </p>
    </form>
  );
}
