/** What is seen of Helm's records while an action runs becomes the history of the HelmRelease. Pure. */
import type {
  HelmRelease,
  ReleaseAction,
  ReleaseSnapshot,
  TestHookStatus,
} from '@capstan/flux-api';
import { formatTime } from '@capstan/flux-controllers';
import type { Release, ReleaseHook } from '@capstan/kube-helm';
import type { Json } from '@capstan/kube-object';
import { withStatus } from './conditions.ts';
import { releaseDigest, valuesDigest } from './digests.ts';
import { isOf, latest } from './snapshots.ts';

interface SnapshotContext {
  readonly action?: ReleaseAction | undefined;
  readonly ociDigest?: string | undefined;
  readonly testHooks?: ReleaseSnapshot['testHooks'] | undefined;
}

export function snapshotOf(record: Release, context: SnapshotContext = {}): ReleaseSnapshot {
  const { action, ociDigest = '', testHooks } = context;
  const metadata = record.chart['metadata'];
  const appVersion = textAt(metadata, 'appVersion');
  return {
    apiVersion: 'v2',
    digest: releaseDigest(record, ociDigest),
    name: record.name,
    namespace: record.namespace,
    version: record.revision,
    status: record.status,
    ...(action === undefined ? {} : { action }),
    chartName: textAt(metadata, 'name'),
    chartVersion: textAt(metadata, 'version'),
    ...(appVersion === '' ? {} : { appVersion }),
    configDigest: valuesDigest(record.config),
    firstDeployed: toSeconds(record.firstDeployed),
    lastDeployed: toSeconds(record.lastDeployed),
    ...(record.deleted === '' ? {} : { deleted: toSeconds(record.deleted) }),
    ...(testHooks === undefined ? {} : { testHooks }),
    ...(ociDigest === '' ? {} : { ociDigest }),
  };
}

function toSeconds(time: string): string {
  const ms = Date.parse(time);
  return Number.isNaN(ms) ? '0001-01-01T00:00:00Z' : formatTime(ms);
}

function textAt(value: Json | undefined, field: string): string {
  const found: unknown =
    typeof value === 'object' && value !== null ? Reflect.get(value, field) : undefined;
  return typeof found === 'string' ? found : '';
}

/** After an install or upgrade: the newest record goes in front, the one before it is brought up to date. */
export function recordReleased(
  release: HelmRelease,
  records: readonly Release[],
  action: 'install' | 'upgrade',
): HelmRelease {
  const byRevision = new Map(records.map((record) => [record.revision, record]));
  const [newest, ...older] = [...byRevision.values()].sort((a, b) => b.revision - a.revision);
  if (newest === undefined) return release;
  const ociDigest = release.status.lastAttemptedRevisionDigest;
  const history = [snapshotOf(newest, { action, ociDigest }), ...(release.status.history ?? [])];
  for (const record of older) {
    const at = history.findIndex((one) => isOf(one, record));
    const known = history[at];
    if (known === undefined) continue;
    const { ociDigest: own, testHooks } = known;
    history[at] = snapshotOf(record, { ociDigest: own, testHooks });
    break;
  }
  return withStatus(release, { history });
}

/** A record that the history has is brought up to date; one that it does not have goes in front, when `adds`. */
export function recordSeen(
  release: HelmRelease,
  record: Release,
  { action, adds }: { readonly action: ReleaseAction | 'same'; readonly adds: boolean },
): HelmRelease {
  const { history = [] } = release.status;
  const known = history.find((one) => isOf(one, record));
  if (known === undefined) {
    return adds ? withStatus(release, { history: [snapshotOf(record), ...history] }) : release;
  }
  const { ociDigest, testHooks } = known;
  const own = action === 'same' ? known.action : action;
  const made = snapshotOf(record, {
    action: own,
    ociDigest,
    // The original loses test results when it unlocks.
    testHooks: action === 'same' ? undefined : testHooks,
  });
  return withStatus(release, { history: history.map((one) => (one === known ? made : one)) });
}

/** Takes the results of the chosen tests, when the record is that of the latest snapshot. */
export function recordTested(release: HelmRelease, record: Release): HelmRelease {
  const { history = [] } = release.status;
  const seen = latest(history);
  if (seen === undefined || !isOf(seen, record)) return release;
  const filters = release.spec.test?.filters ?? [];
  const hooks = record.hooks.filter(
    ({ events, name }) => events.includes('test') && isSelected(name, filters),
  );
  const testHooks = Object.fromEntries(hooks.map((hook) => [hook.name, testStatus(hook)]));
  const { action, ociDigest } = seen;
  const made = snapshotOf(record, { action, ociDigest, testHooks });
  return withStatus(release, { history: history.map((one) => (one === seen ? made : one)) });
}

function isSelected(
  name: string,
  filters: readonly { readonly name: string; readonly exclude?: boolean }[],
): boolean {
  if (filters.some((one) => one.exclude === true && one.name === name)) return false;
  const included = filters.filter(({ exclude }) => exclude !== true);
  return included.length === 0 || included.some((one) => one.name === name);
}

function testStatus({ lastRun }: ReleaseHook): TestHookStatus {
  const { startedAt, completedAt, phase } = lastRun;
  return {
    ...(startedAt === '' ? {} : { lastStarted: toSeconds(startedAt) }),
    ...(completedAt === '' ? {} : { lastCompleted: toSeconds(completedAt) }),
    ...(phase === '' ? {} : { phase }),
  };
}
