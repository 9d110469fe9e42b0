import { type AppRef, type AppSummary, appKey } from '@capstan/apps-contract';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { type ReactElement, useEffect, useRef } from 'react';
import { Link } from 'wouter';
import { useNow } from '../../data/hooks.ts';
import { formatAge, shortRevision } from '../../model/format.ts';
import { HealthStatus, SyncStatus } from '../../parts/status.tsx';

export function appHref({ kind, namespace, name }: AppRef): string {
  return `/apps/${kind}/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;
}

const ROW_HEIGHT = 58;

/** Only the rows in view exist, so that ten thousand apps scroll like ten. */
export function AppTable({
  apps,
  selected,
}: {
  apps: readonly AppSummary[];
  selected: number;
}): ReactElement {
  const list = useRef<HTMLDivElement>(null);
  const now = useNow();
  const rows = useWindowVirtualizer({
    count: apps.length,
    estimateSize: () => ROW_HEIGHT,
    overscan: 12,
    scrollMargin: list.current?.offsetTop ?? 0,
  });
  useEffect(() => {
    if (selected > 0) rows.scrollToIndex(selected, { align: 'auto' });
  }, [rows, selected]);
  return (
    <div className="apps" ref={list}>
      <ul aria-label="Applications" style={{ height: rows.getTotalSize(), position: 'relative' }}>
        {rows.getVirtualItems().map((item) => (
          <Row
            key={appKey(apps[item.index]!)}
            app={apps[item.index]!}
            selected={item.index === selected}
            top={item.start - rows.options.scrollMargin}
            now={now}
          />
        ))}
      </ul>
    </div>
  );
}

function Row({
  app,
  selected,
  top,
  now,
}: {
  app: AppSummary;
  selected: boolean;
  top: number;
  now: number;
}): ReactElement {
  return (
    <li
      aria-current={selected}
      className={`app-row health-${app.health}`}
      style={{ height: ROW_HEIGHT, transform: `translateY(${top}px)` }}
    >
      <span className="app-name">
        <Link href={appHref(app)}>{app.name}</Link>
        <small>
          <span className={`family ${app.family}`}>
            {app.family === 'argocd' ? 'Argo CD' : 'Flux'}
          </span>{' '}
          {app.namespace}
          {app.suspended && ' · suspended'}
        </small>
      </span>
      <span className="app-states">
        <SyncStatus value={app.sync} syncing={app.syncing} />
        <HealthStatus value={app.health} />
      </span>
      <span className="app-source">
        <span title={app.repo}>{app.path || '.'}</span>
        <small title={app.revision}>
          {app.targetRevision || 'HEAD'} · {shortRevision(app.revision) || 'not deployed yet'}
        </small>
      </span>
      <span className="app-message" title={app.message}>
        {app.message || app.destination}
      </span>
      <time dateTime={app.lastSyncedAt} title={app.lastSyncedAt}>
        {formatAge(app.lastSyncedAt, now)}
      </time>
    </li>
  );
}
