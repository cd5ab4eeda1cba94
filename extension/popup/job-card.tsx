import type { ComponentChildren } from 'preact';

interface JobCardProps {
  /** Of the line that says what it is, for tests. */
  id: string;
  title: string;
  what?: ComponentChildren;
  children: ComponentChildren;
}

/** Something this computer does for the network. */
export function JobCard({ id, title, what, children }: JobCardProps) {
  return (
    <section class="card stack tight" aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`} class="small muted">
        {title}
      </h2>
      {what && <p data-testid={id}>{what}</p>}
      {children}
    </section>
  );
}

/** How far it is, in words and as a bar; `share` (0 to 1) is absent while nobody knows. */
export function JobProgress({ share, label }: { share?: number | undefined; label: string }) {
  return (
    <>
      <progress {...(share !== undefined && { value: share })} max={1} aria-label={label} />
      <p class="small muted figures">{label}</p>
    </>
  );
}
