import { MAX_NEW_TOKENS } from '../../shared/protocol/limits.ts';
import type { ModelListing } from '../../shared/protocol/messages.ts';
import type { Settings } from '../state.ts';
import { SlidersIcon } from '../ui/icons.tsx';
import { send } from '../ui/link.ts';
import { termsOf } from './status.ts';

interface AnswerSettingsProps {
  settings: Settings;
  model: ModelListing | undefined;
}

/** A popover: the browser closes it with Escape or a click beside it, and gives the focus back. */
export function AnswerSettings({ settings: { temperature, maxNewTokens }, model }: AnswerSettingsProps) {
  const terms = model && termsOf(model);
  function change(name: 'temperature' | 'maxNewTokens', { value, validity }: HTMLInputElement) {
    if (value !== '' && validity.valid) send({ type: 'change', settings: { [name]: Number(value) } });
  }

  return (
    <>
      <button
        type="button"
        class="icon-button"
        title="Answer settings"
        aria-label="Answer settings"
        popovertarget="answer-settings"
      >
        <SlidersIcon />
      </button>
      <div id="answer-settings" class="card popover" popover="auto" role="dialog" aria-label="Answer settings">
        <div class="field">
          <label for="temperature">Temperature</label>
          <input
            id="temperature"
            type="number"
            min={0}
            max={2}
            step={0.1}
            defaultValue={String(temperature)}
            aria-describedby="temperature-help"
            onInput={({ currentTarget }) => change('temperature', currentTarget)}
          />
          <p id="temperature-help" class="small muted">
            0 always takes the likeliest word; higher is more surprising.
          </p>
        </div>
        <div class="field">
          <label for="max-tokens">Max tokens</label>
          <input
            id="max-tokens"
            type="number"
            min={1}
            max={MAX_NEW_TOKENS}
            step={1}
            defaultValue={String(maxNewTokens)}
            aria-describedby="max-tokens-help"
            onInput={({ currentTarget }) => change('maxNewTokens', currentTarget)}
          />
          <p id="max-tokens-help" class="small muted">
            The longest answer; a token is about three quarters of a word.
          </p>
        </div>
        {terms && <p class="small muted">{terms}</p>}
      </div>
    </>
  );
}
