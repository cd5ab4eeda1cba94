import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';

interface DialogProps {
  title: string;
  /** Then Escape does not close it. */
  isBusy?: boolean;
  onClose(): void;
  children: ComponentChildren;
}

/** A modal one. The focus goes to what has `data-autofocus`, and back to where it was. */
export function Dialog({ title, isBusy = false, onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();

  useEffect(() => {
    const element = dialog.current!;
    const opener = document.activeElement as HTMLElement | null;
    element.showModal();
    element.querySelector<HTMLElement>('[data-autofocus]')?.focus();
    return () => {
      element.close();
      opener?.focus();
    };
  }, []);

  function onCancel(event: Event) {
    event.preventDefault();
    if (!isBusy) onClose();
  }

  return (
    <dialog
      class="dialog"
      ref={dialog}
      aria-labelledby={id}
      aria-busy={isBusy}
      onCancel={onCancel}
      {...{ closedby: isBusy ? 'none' : 'closerequest' }}
    >
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
}
