import type { AppSummary } from '@capstan/apps-contract';
import { type ReactElement, useCallback, useMemo, useRef, useState } from 'react';
import { useLocation } from 'wouter';
import { useKeys, useLive } from '../../data/hooks.ts';
import { type AppFilter, filterApps, NO_FILTER } from '../../model/filter-apps.ts';
import { Icon } from '../../parts/icon.tsx';
import { Loading, Notice } from '../../parts/notice.tsx';
import { AppFilters } from './app-filters.tsx';
import { AppTable, appHref } from './app-table.tsx';

/** Every app, worst first. Keys: / searches, arrows or j and k move, Enter opens, Escape clears. */
export function AppsPage(): ReactElement {
  const { store } = useLive();
  const [filter, setFilter] = useState<AppFilter>(NO_FILTER);
  const [selected, setSelected] = useState(0);
  const search = useRef<HTMLInputElement>(null);
  const apps = useMemo(() => [...(store.apps?.values() ?? [])], [store.apps]);
  const shown = useMemo(() => filterApps(apps, filter), [apps, filter]);
  useListKeys(shown, { selected, setSelected, search });
  if (store.apps === null) return <Loading what="apps" />;
  return (
    <div className="apps-page">
      <h1 className="visually-hidden">Applications</h1>
      <div className="search">
        <Icon name="search" />
        <input
          ref={search}
          type="search"
          placeholder="Search apps  ( / )"
          aria-label="Search apps"
          value={filter.text}
          onChange={(event) => {
            setFilter({ ...filter, text: event.target.value });
            setSelected(0);
          }}
          onKeyDown={(event) => {
            // The browser itself empties a search field on Escape.
            if (event.key === 'Escape' || event.key === 'Enter') event.currentTarget.blur();
          }}
        />
        <span className="count" aria-live="polite">
          {shown.length === apps.length
            ? `${apps.length} apps`
            : `${shown.length} of ${apps.length}`}
        </span>
      </div>
      <AppFilters apps={apps} filter={filter} onChange={setFilter} />
      {shown.length > 0 && <AppTable apps={shown} selected={selected} />}
      {shown.length === 0 && <Nothing any={apps.length > 0} onClear={() => setFilter(NO_FILTER)} />}
    </div>
  );
}

function Nothing({ any, onClear }: { any: boolean; onClear: () => void }): ReactElement {
  if (any) {
    return (
      <Notice title="No app matches">
        <button type="button" onClick={onClear}>
          Clear the filters
        </button>
      </Notice>
    );
  }
  return (
    <Notice title="No apps yet">
      <p>
        Apply an Argo CD <code>Application</code>, a Flux <code>Kustomization</code> or a{' '}
        <code>HelmRelease</code> and it appears here:
      </p>
      <pre>kubectl apply -f app.yaml</pre>
    </Notice>
  );
}

interface ListKeys {
  readonly selected: number;
  readonly setSelected: (index: number) => void;
  readonly search: React.RefObject<HTMLInputElement | null>;
}

function useListKeys(
  shown: readonly AppSummary[],
  { selected, setSelected, search }: ListKeys,
): void {
  const [, navigate] = useLocation();
  const onKey = useCallback(
    (event: KeyboardEvent) => {
      const app = shown[selected];
      if (event.key === '/') search.current?.focus();
      else if (event.key === 'ArrowDown' || event.key === 'j')
        setSelected(Math.min(selected + 1, shown.length - 1));
      else if (event.key === 'ArrowUp' || event.key === 'k') setSelected(Math.max(selected - 1, 0));
      else if (event.key === 'Enter' && app !== undefined) navigate(appHref(app));
      else return;
      event.preventDefault();
    },
    [shown, selected, setSelected, search, navigate],
  );
  useKeys(onKey);
}
