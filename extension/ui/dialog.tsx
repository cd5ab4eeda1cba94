import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';

interface DialogProps {
  title: string;
  /** Then Escape does not close it. */
  isBusy?: boolean;
  onClose(): void;
  children: ComponentChildren;
}

/** A modal one. The focus goes to its first input, else to what has `data-autofocus`, and back to where it was. */
export function Dialog({ title, isBusy = false, onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();

  useLayoutEffect(() => {
    const element = dialog.current!;
    element.showModal();
    element.querySelector<HTMLElement>('input, [data-autofocus]')?.focus();
    // Before it leaves the page: only a dialog that is closed gives the focus back.
    return () => element.close();
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
