import type { AppSummary } from '@capstan/apps-contract';
import type { ReactElement } from 'react';
import { type AppFilter, countBy, toggle } from '../../model/filter-apps.ts';

/** One row of buttons a facet; a button shows how many apps it would leave, and is pressed or not. */
export function AppFilters({
  apps,
  filter,
  onChange,
}: {
  apps: readonly AppSummary[];
  filter: AppFilter;
  onChange: (filter: AppFilter) => void;
}): ReactElement {
  return (
    <div className="filters">
      <Facet
        label="Sync"
        counts={countBy(apps, (app) => app.sync)}
        chosen={filter.sync}
        onToggle={(value) => onChange({ ...filter, sync: toggle(filter.sync, value) })}
      />
      <Facet
        label="Health"
        counts={countBy(apps, (app) => app.health)}
        chosen={filter.health}
        onToggle={(value) => onChange({ ...filter, health: toggle(filter.health, value) })}
      />
      <Facet
        label="Kind"
        counts={countBy(apps, (app) => app.family)}
        chosen={filter.family}
        onToggle={(value) => onChange({ ...filter, family: toggle(filter.family, value) })}
      />
    </div>
  );
}

const NAMES: Readonly<Record<string, string>> = { argocd: 'Argo CD', flux: 'Flux' };

function Facet<K extends string>({
  label,
  counts,
  chosen,
  onToggle,
}: {
  label: string;
  counts: ReadonlyMap<K, number>;
  chosen: readonly K[];
  onToggle: (value: K) => void;
}): ReactElement {
  const values = [...new Set([...counts.keys(), ...chosen])].sort();
  return (
    <fieldset>
      <legend>{label}</legend>
      {values.map((value) => (
        <button
          key={value}
          type="button"
          className="chip"
          aria-pressed={chosen.includes(value)}
          onClick={() => onToggle(value)}
        >
          {NAMES[value] ?? value} <b>{counts.get(value) ?? 0}</b>
        </button>
      ))}
    </fieldset>
  );
}
