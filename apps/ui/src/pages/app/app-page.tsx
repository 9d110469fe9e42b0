import { type AppDetail, type AppRef, appKey, type ResourceNode } from '@capstan/apps-contract';
import { useQuery } from '@tanstack/react-query';
import { type ReactElement, useCallback, useState } from 'react';
import { useLocation } from 'wouter';
import { api } from '../../data/api.ts';
import { useKeys, useLive, useWatchedApp } from '../../data/hooks.ts';
import { Loading, Notice } from '../../parts/notice.tsx';
import { Tabs } from '../../parts/tabs.tsx';
import { AppHeader } from './app-header.tsx';
import { EventList } from './event-list.tsx';
import { History } from './history.tsx';
import { ResourcePanel } from './resource-panel.tsx';
import { ResourceTree } from './resource-tree.tsx';

const TABS = ['Tree', 'Events', 'History'] as const;

/** One app. Keys: 1 to 3 change the tab, Escape closes the panel, then goes back to the list. */
export function AppPage({ app }: { app: AppRef }): ReactElement {
  const key = appKey(app);
  useWatchedApp(key);
  const { store } = useLive();
  const first = useQuery({ queryKey: ['app', key], queryFn: () => api.detail(app) });
  const detail = store.details.get(key) ?? first.data;
  const gone = store.apps !== null && !store.apps.has(key);
  if (gone && detail !== undefined) return <Notice title={`${app.kind} ${app.name} was deleted`} />;
  if (detail !== undefined) return <Detail detail={detail} />;
  if (first.error !== null) {
    return (
      <Notice title={`${app.kind} ${app.name} cannot be shown`} tone="error">
        <p>{first.error.message}</p>
      </Notice>
    );
  }
  return <Loading what={app.name} />;
}

function Detail({ detail }: { detail: AppDetail }): ReactElement {
  const [tab, setTab] = useState<(typeof TABS)[number]>('Tree');
  const [selected, setSelected] = useState<string | null>(null);
  const node = detail.resources.find((resource) => resource.id === selected);
  useDetailKeys(node, { setTab, close: () => setSelected(null) });
  return (
    <div className="app-page">
      <AppHeader detail={detail} />
      <Tabs label="Views" tabs={TABS} selected={tab} onSelect={setTab} />
      <div className="app-body">
        {tab === 'Tree' && (
          <ResourceTree detail={detail} selected={selected} onSelect={setSelected} />
        )}
        {tab === 'Events' && <AppEvents app={detail.app} />}
        {tab === 'History' && <History detail={detail} />}
        {node !== undefined && (
          <ResourcePanel
            key={node.id}
            app={detail.app}
            node={node}
            onClose={() => setSelected(null)}
          />
        )}
      </div>
    </div>
  );
}

function AppEvents({ app }: { app: AppRef }): ReactElement {
  const events = useQuery({
    queryKey: ['events', appKey(app)],
    queryFn: () => api.events(app),
    refetchInterval: 5000,
  });
  if (events.data === undefined) return <Loading what="events" />;
  return <EventList events={events.data} />;
}

interface DetailKeys {
  readonly setTab: (tab: (typeof TABS)[number]) => void;
  readonly close: () => void;
}

function useDetailKeys(node: ResourceNode | undefined, { setTab, close }: DetailKeys): void {
  const [, navigate] = useLocation();
  const onKey = useCallback(
    (event: KeyboardEvent) => {
      const tab = TABS[Number(event.key) - 1];
      if (tab !== undefined) setTab(tab);
      else if (event.key === 'Escape' && node !== undefined) close();
      else if (event.key === 'Escape') navigate('/');
    },
    [node, setTab, close, navigate],
  );
  useKeys(onKey);
}
