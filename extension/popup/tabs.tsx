/** Tabs after the ARIA Authoring Practices: one stop for Tab, arrows between them, selection follows focus. */

interface TabsProps {
  tabs: readonly { id: string; label: string }[];
  selected: string;
  onSelect(id: string): void;
}

export function Tabs({ tabs, selected, onSelect }: TabsProps) {
  function onKeyDown(event: KeyboardEvent) {
    const at = nextTab(
      event.key,
      tabs.findIndex(({ id }) => id === selected),
      tabs.length,
    );
    if (at === undefined) return;
    event.preventDefault();
    const { id } = tabs[at]!;
    onSelect(id);
    document.getElementById(`tab-${id}`)?.focus();
  }

  return (
    <div class="tabs" role="tablist" aria-label="Ailo" onKeyDown={onKeyDown}>
      {tabs.map(({ id, label }) => (
        <button
          key={id}
          type="button"
          role="tab"
          id={`tab-${id}`}
          aria-selected={id === selected}
          {...(id === selected && { 'aria-controls': `panel-${id}` })}
          tabIndex={id === selected ? 0 : -1}
          onClick={() => onSelect(id)}
        >
          {label}
        </button>
      ))}
    </div>
  );
}

/** Which of `count` tabs a key leads to from tab `at`; undefined: none. */
export function nextTab(key: string, at: number, count: number): number | undefined {
  switch (key) {
    case 'ArrowRight':
      return (at + 1) % count;
    case 'ArrowLeft':
      return (at + count - 1) % count;
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return undefined;
  }
}
