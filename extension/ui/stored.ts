import { effect, type Signal, signal } from '@preact/signals';

/** A text that pages remember: read at once when they open, written whenever it changes. */
export function storedText(name: string): Signal<string> {
  const key = `ailo.${name}`;
  const text = signal(localStorage.getItem(key) ?? '');
  effect(() => {
    if (text.value === '') localStorage.removeItem(key);
    else localStorage.setItem(key, text.value);
  });
  return text;
}
