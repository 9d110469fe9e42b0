import type { ReactElement } from 'react';

/** A row of tabs; arrow keys move between them as the ARIA pattern asks. */
export function Tabs<T extends string>({
  label,
  tabs,
  selected,
  onSelect,
}: {
  label: string;
  tabs: readonly T[];
  selected: T;
  onSelect: (tab: T) => void;
}): ReactElement {
  const move = (by: number): void => {
    const next = (tabs.indexOf(selected) + by + tabs.length) % tabs.length;
    onSelect(tabs[next]!);
  };
  return (
    <div className="tabs" role="tablist" aria-label={label}>
      {tabs.map((tab) => (
        <button
          key={tab}
          type="button"
          role="tab"
          aria-selected={tab === selected}
          tabIndex={tab === selected ? 0 : -1}
          onClick={() => onSelect(tab)}
          onKeyDown={(event) => {
            if (event.key === 'ArrowRight') move(1);
            if (event.key === 'ArrowLeft') move(-1);
          }}
        >
          {tab}
        </button>
      ))}
    </div>
  );
}
