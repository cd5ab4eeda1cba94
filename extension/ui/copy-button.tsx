import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { CheckIcon, CopyIcon } from './icons.tsx';

const COPIED_MS = 2000;

interface CopyButtonProps {
  text: string;
  /** What it is: “address”. */
  what: string;
  class?: string;
  /** What the button shows beside its icon. */
  children?: ComponentChildren;
}

export function CopyButton({ text, what, class: className = 'icon-button', children }: CopyButtonProps) {
  const [isCopied, setCopied] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);

  async function copy() {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setCopied(false), COPIED_MS);
  }

  return (
    <>
      <button type="button" class={className} title={`Copy the ${what}`} onClick={copy}>
        <span class="visually-hidden">Copy the {what} </span>
        {children}
        {isCopied ? <CheckIcon /> : <CopyIcon />}
      </button>
      <span class="visually-hidden" role="status">
        {isCopied && `The ${what} is copied.`}
      </span>
    </>
  );
}
