import {
  type AppRef,
  appKey,
  type ResourceDetail,
  type ResourceNode,
} from '@capstan/apps-contract';
import { useQuery } from '@tanstack/react-query';
import { lazy, type ReactElement, Suspense, useState } from 'react';
import { api } from '../../data/api.ts';
import { Icon } from '../../parts/icon.tsx';
import { Loading, Notice } from '../../parts/notice.tsx';
import { HealthStatus, SyncStatus } from '../../parts/status.tsx';
import { Tabs } from '../../parts/tabs.tsx';
import { EventList } from './event-list.tsx';

// The editor is most of the page's weight, and the list never needs it.
const YamlView = lazy(async () => ({
  default: (await import('../../parts/yaml-view.tsx')).YamlView,
}));
const YamlDiff = lazy(async () => ({
  default: (await import('../../parts/yaml-view.tsx')).YamlDiff,
}));

const TABS = ['Summary', 'Live', 'Desired', 'Diff', 'Events'] as const;

export function ResourcePanel({
  app,
  node,
  onClose,
}: {
  app: AppRef;
  node: ResourceNode;
  onClose: () => void;
}): ReactElement {
  const [tab, setTab] = useState<(typeof TABS)[number]>('Summary');
  const detail = useQuery({
    queryKey: ['resource', appKey(app), node.id],
    queryFn: () => api.resource(app, node),
    refetchInterval: 3000,
  });
  return (
    <aside className="panel" aria-label={`${node.kind} ${node.name}`}>
      <header>
        <span>
          <small>{node.kind}</small>
          <h2 className="panel-title">{node.name}</h2>
        </span>
        <button type="button" className="ghost" aria-label="Close" onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      <Tabs label="Resource" tabs={TABS} selected={tab} onSelect={setTab} />
      <div className="panel-body">
        {tab === 'Summary' && <Summary node={node} detail={detail.data} />}
        {tab !== 'Summary' && detail.data === undefined && detail.error === null && (
          <Loading what={node.name} />
        )}
        {detail.error !== null && (
          <Notice title="It cannot be shown" tone="error">
            <p>{detail.error.message}</p>
          </Notice>
        )}
        {detail.data !== undefined && (
          <Suspense fallback={<Loading what="the viewer" />}>
            <Manifest tab={tab} detail={detail.data} />
          </Suspense>
        )}
      </div>
    </aside>
  );
}

function Manifest({
  tab,
  detail,
}: {
  tab: (typeof TABS)[number];
  detail: ResourceDetail;
}): ReactElement | null {
  if (tab === 'Events') return <EventList events={detail.events} />;
  if (tab === 'Live') return <Yaml text={detail.live} missing="It is not in the cluster." />;
  if (tab === 'Desired') {
    return (
      <Yaml text={detail.desired} missing="It is not in Git: the cluster made it from its owner." />
    );
  }
  if (tab !== 'Diff') return null;
  return <Diff detail={detail} />;
}

/** What a sync would change; the whole manifests only when asked for, as the server adds many fields of its own. */
function Diff({ detail }: { detail: ResourceDetail }): ReactElement {
  const [whole, setWhole] = useState(false);
  if (detail.desired === null) return <Notice title="Nothing to compare">It is not in Git.</Notice>;
  const agrees = detail.live !== null && detail.differences.length === 0;
  if (agrees && !whole) {
    return (
      <Notice title="Git and the cluster agree">
        <p>Every field that Git sets has its value in the cluster.</p>
        <button type="button" onClick={() => setWhole(true)}>
          Compare the whole manifests
        </button>
      </Notice>
    );
  }
  return (
    <>
      {!agrees && detail.live !== null && <Differences detail={detail} />}
      <p className="diff-sides faint">
        <span>Cluster</span>
        <span>Git</span>
      </p>
      <YamlDiff live={detail.live ?? ''} desired={detail.desired} />
    </>
  );
}

function Yaml({ text, missing }: { text: string | null; missing: string }): ReactElement {
  return text === null ? <Notice title={missing} /> : <YamlView text={text} />;
}

function Summary({
  node,
  detail,
}: {
  node: ResourceNode;
  detail: ResourceDetail | undefined;
}): ReactElement {
  return (
    <>
      <dl className="facts column">
        <dt>Namespace</dt>
        <dd>{node.namespace || '(cluster)'}</dd>
        <dt>API version</dt>
        <dd>{node.group === '' ? node.version : `${node.group}/${node.version}`}</dd>
        <dt>Created</dt>
        <dd>{node.createdAt || '—'}</dd>
        {node.sync !== null && (
          <>
            <dt>Sync</dt>
            <dd>
              <SyncStatus value={node.sync} /> {node.requiresPruning && '(to be pruned)'}
            </dd>
          </>
        )}
        {node.health !== null && (
          <>
            <dt>Health</dt>
            <dd>
              <HealthStatus value={node.health} /> {node.healthMessage}
            </dd>
          </>
        )}
        {node.info.length > 0 && (
          <>
            <dt>Info</dt>
            <dd>{node.info.join(', ')}</dd>
          </>
        )}
      </dl>
      {detail !== undefined && detail.differences.length > 0 && <Differences detail={detail} />}
    </>
  );
}

function Differences({ detail }: { detail: ResourceDetail }): ReactElement {
  return (
    <table className="differences">
      <caption>Where Git and the cluster differ</caption>
      <thead>
        <tr>
          <th>Field</th>
          <th>Git</th>
          <th>Cluster</th>
          <th>Written by</th>
        </tr>
      </thead>
      <tbody>
        {detail.differences.map((difference) => (
          <tr key={difference.field}>
            <td>
              <code>{difference.field}</code>
            </td>
            <td>{difference.desired}</td>
            <td>{difference.live}</td>
            <td>{difference.manager}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
