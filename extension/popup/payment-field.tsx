import type { ComponentChildren } from 'preact';

interface PaymentFieldProps {
  name: 'to' | 'amount' | 'memo';
  label: string;
  value: string;
  error: string | undefined;
  /** Beneath it while there is no error; `announced`: also when it changes. */
  hint?: ComponentChildren;
  announced?: boolean;
  placeholder?: string;
  inputMode?: 'decimal';
  /** On the line of the label, on the right. */
  aside?: ComponentChildren;
  /** Behind the input. */
  after?: ComponentChildren;
  onInput(value: string): void;
}

/** One line of the payment: label, input, and beneath it what is wrong or worth knowing. */
export function PaymentField({ name, label, value, error, onInput, ...more }: PaymentFieldProps) {
  const { hint, announced = false, aside, after, ...input } = more;
  const id = `send-${name}`;
  return (
    <div class="field">
      <div class="row">
        <label for={id}>{label}</label>
        {aside}
      </div>
      <div class="row">
        <input
          id={id}
          type="text"
          value={value}
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          aria-invalid={error !== undefined}
          aria-describedby={`${id}-help`}
          onInput={({ currentTarget }) => onInput(currentTarget.value)}
          {...input}
        />
        {after}
      </div>
      <div
        id={`${id}-help`}
        class={`help small ${error ? 'field-error' : 'muted'}`}
        aria-live={announced ? 'polite' : 'off'}
      >
        {error ?? hint}
      </div>
    </div>
  );
}
