import {
  type Application,
  type ApplicationSource,
  GROUP,
  parseApplication,
} from '@capstan/argocd-api';
import {
  type DependencyNode,
  type DependencyReader,
  type DependencyRef,
  followedSource,
  readDependsOn,
  type SourceCommit,
} from '@capstan/engine-delivery';
import { hasSeveralSources, sourcesOf } from './to-delivery.ts';

/** How an Application stands for those that depend on it: looked at as it is written, synced, healthy, with nothing running. */
export const applicationDependency: DependencyReader = {
  group: GROUP,
  kind: 'Application',
  read(object) {
    const parsed = parseApplication(object);
    if (parsed.kind !== 'ok') return { dependsOn: [], unready: 'is invalid', revisions: [] };
    return readApplication(parsed.value);
  },
};

function readApplication(app: Application): DependencyNode {
  return {
    dependsOn: dependsOn(app),
    unready: lackOf(app),
    revisions: revisionsOf(app),
  };
}

/** What cannot be read is told where the Application itself is reconciled. */
function dependsOn(app: Application): readonly DependencyRef[] {
  try {
    return readDependsOn(app);
  } catch {
    return [];
  }
}

function lackOf(app: Application): string | undefined {
  const { sync, health, operationState } = app.status ?? {};
  if (sync === undefined || !isComparedAsWritten(app)) return 'has not been looked at yet';
  if (operationState?.phase === 'Running') return 'is being synced';
  if (sync.status !== 'Synced') return `is ${sync.status}`;
  const status = health?.status ?? 'Unknown';
  return status === 'Healthy' ? undefined : `is ${status}`;
}

function isComparedAsWritten(app: Application): boolean {
  const compared = app.status?.sync?.comparedTo;
  const told = hasSeveralSources(app) ? compared?.sources : compared?.source;
  const wanted = hasSeveralSources(app) ? sourcesOf(app) : sourcesOf(app)[0];
  return (
    stable(told) === stable(wanted) &&
    stable(compared?.destination) === stable(app.spec.destination)
  );
}

function revisionsOf(app: Application): readonly SourceCommit[] {
  const sync = app.status?.sync;
  const commits = hasSeveralSources(app) ? sync?.revisions : [sync?.revision];
  return sourcesOf(app).flatMap((source: ApplicationSource, index) => {
    const commit = commits?.[index];
    if (commit === undefined || source.chart !== undefined) return [];
    return [{ source: followedSource(source.repoURL, source.targetRevision ?? ''), commit }];
  });
}

function stable(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
