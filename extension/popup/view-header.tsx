import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { BackIcon } from '../ui/icons.tsx';

interface ViewHeaderProps {
  title: string;
  onBack(): void;
  /** On the right. */
  children?: ComponentChildren;
}

/** The way back, and what this view is; its heading has the focus when it opens. */
export function ViewHeader({ title, onBack, children }: ViewHeaderProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    heading.current!.closest('.panel')?.scrollTo(0, 0);
    heading.current!.focus();
  }, []);
  return (
    <div class="view-header">
      <button type="button" class="icon-button" title="Back" aria-label="Back" onClick={onBack}>
        <BackIcon />
      </button>
      <h2 ref={heading} tabIndex={-1}>
        {title}
      </h2>
      {children}
    </div>
  );
}
