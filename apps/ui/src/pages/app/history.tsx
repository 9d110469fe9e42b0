import type { AppDetail } from '@capstan/apps-contract';
import { useMutation } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { api } from '../../data/api.ts';
import { useNow } from '../../data/hooks.ts';
import { formatAge, shortRevision } from '../../model/format.ts';
import { Icon } from '../../parts/icon.tsx';
import { Notice } from '../../parts/notice.tsx';
import { rollbackQuestion } from './app-header.tsx';

/** The last syncs, newest first, each with its commit and author. */
export function History({ detail }: { detail: AppDetail }): ReactElement {
  const now = useNow();
  const rollback = useMutation({ mutationFn: (id: number) => api.rollback(detail.app, id) });
  if (detail.history.length === 0) return <Notice title="Not deployed yet" />;
  return (
    <ol className="history">
      {detail.history.map((record, index) => (
        <li key={record.id}>
          <Icon name="commit" />
          <code title={record.revision}>{shortRevision(record.revision)}</code>
          <span className="commit-message">{record.commit?.message ?? ''}</span>
          <span className="faint">
            {record.commit?.author}
            {' · '}
            <time dateTime={record.deployedAt} title={record.deployedAt}>
              deployed {formatAge(record.deployedAt, now)} ago
            </time>
            {' · '}
            {record.initiatedBy}
          </span>
          {index === 0 ? (
            <span className="chip">current</span>
          ) : (
            <button
              type="button"
              disabled={rollback.isPending}
              onClick={() => {
                if (confirm(rollbackQuestion(detail, record.revision))) rollback.mutate(record.id);
              }}
            >
              <Icon name="rollback" /> Roll back to this
            </button>
          )}
        </li>
      ))}
      {rollback.error !== null && <p role="alert">{rollback.error.message}</p>}
    </ol>
  );
}
