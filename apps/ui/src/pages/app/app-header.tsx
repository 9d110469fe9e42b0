import type { AppDetail, CommitView } from '@capstan/apps-contract';
import { useMutation } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { Link } from 'wouter';
import { api } from '../../data/api.ts';
import { useNow } from '../../data/hooks.ts';
import { formatAge, safeLink, shortRevision } from '../../model/format.ts';
import { Icon } from '../../parts/icon.tsx';
import { HealthStatus, SyncStatus } from '../../parts/status.tsx';

export function AppHeader({ detail }: { detail: AppDetail }): ReactElement {
  const { app, commit, conditions, operation } = detail;
  return (
    <section className="app-header">
      <div className="app-title">
        <Link href="/" className="ghost" aria-label="All apps">
          <Icon name="back" />
        </Link>
        <h1>{app.name}</h1>
        <span className={`family ${app.family}`}>{app.kind}</span>
        <SyncStatus value={app.sync} syncing={app.syncing} />
        <HealthStatus value={app.health} />
        <Actions detail={detail} />
      </div>
      <dl className="facts">
        <Fact name="Source">
          <SourceLink repo={app.repo} /> <code>{app.path || '.'}</code>
        </Fact>
        <Fact name="Revision">
          {app.targetRevision || 'HEAD'} ·{' '}
          <code title={app.revision}>{shortRevision(app.revision) || '—'}</code>
        </Fact>
        <Fact name="Destination">{app.destination}</Fact>
        <Fact name="Project">{app.project || '—'}</Fact>
        <Fact name="Auto-sync">{detail.autoSync ? 'on' : 'off'}</Fact>
      </dl>
      {commit !== null && <Commit commit={commit} />}
      {operation !== null && operation.phase !== 'Succeeded' && (
        <p className={`condition ${operation.phase === 'Running' ? 'info' : 'error'}`}>
          <b>{operation.phase}</b> {operation.message}
        </p>
      )}
      {conditions.map((condition) => (
        <p key={condition.type + condition.message} className={`condition ${condition.severity}`}>
          <b>{condition.type}</b> {condition.message}
        </p>
      ))}
    </section>
  );
}

function Actions({ detail }: { detail: AppDetail }): ReactElement {
  const { app, history } = detail;
  const refresh = useMutation({ mutationFn: () => api.refresh(app) });
  const sync = useMutation({ mutationFn: () => api.sync(app, { prune: true }) });
  const rollback = useMutation({ mutationFn: (id: number) => api.rollback(app, id) });
  const before = history[1];
  const failed = [refresh, sync, rollback].find((action) => action.error !== null)?.error;
  return (
    <span className="actions">
      {failed != null && (
        <span className="action-error" role="alert">
          {failed.message}
        </span>
      )}
      <button type="button" disabled={refresh.isPending} onClick={() => refresh.mutate()}>
        <Icon name="refresh" /> Refresh
      </button>
      <button
        type="button"
        className="primary"
        disabled={sync.isPending || app.syncing}
        onClick={() => sync.mutate()}
      >
        <Icon name="sync" /> Sync
      </button>
      <button
        type="button"
        disabled={before === undefined || rollback.isPending}
        title={
          before === undefined
            ? 'Nothing to go back to yet'
            : `Back to ${shortRevision(before.revision)}`
        }
        onClick={() => {
          if (before !== undefined && confirm(rollbackQuestion(detail, before.revision)))
            rollback.mutate(before.id);
        }}
      >
        <Icon name="rollback" /> Roll back
      </button>
    </span>
  );
}

export function rollbackQuestion(detail: AppDetail, revision: string): string {
  const target = `Roll ${detail.app.name} back to ${shortRevision(revision)}?`;
  return detail.autoSync
    ? `${target} Automated sync is turned off, else Git would win at once.`
    : target;
}

function Fact({ name, children }: { name: string; children: React.ReactNode }): ReactElement {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function SourceLink({ repo }: { repo: string }): ReactElement {
  const href = safeLink(repo);
  if (href === null) return <span>{repo}</span>;
  return (
    <a href={href} target="_blank" rel="noreferrer noopener">
      {repo}
    </a>
  );
}

export function Commit({ commit }: { commit: CommitView }): ReactElement {
  const now = useNow();
  return (
    <p className="commit">
      <Icon name="commit" />
      <code title={commit.sha}>{shortRevision(commit.sha)}</code>
      <span className="commit-message">{commit.message}</span>
      <span className="faint">
        {commit.author}, {formatAge(commit.date, now)} ago
      </span>
    </p>
  );
}
