import { recordedMetadata } from './chart-record.ts';
import type { ReleasePorts } from './cluster-port.ts';
import type { Release, ReleaseStatus } from './release.ts';
import { checkReleaseName } from './release-name.ts';
import { notFound, releaseStore } from './release-store.ts';

/** All revisions of a release, oldest first. Throws RELEASE_NOT_FOUND when there is none. */
export async function releaseHistory(
  name: string,
  namespace: string,
  ports: ReleasePorts,
): Promise<readonly Release[]> {
  checkReleaseName(name, () => `release name is invalid: ${name}`);
  const history = await releaseStore(ports, namespace).history(name);
  if (history.length === 0) throw notFound();
  return history.map(({ release }) => release);
}

/** One revision of a release, the last by default. */
export async function readRelease(
  name: string,
  { namespace, revision = 0 }: { readonly namespace: string; readonly revision?: number },
  ports: ReleasePorts,
): Promise<Release> {
  checkReleaseName(name, () => `releaseContent: Release name is invalid: ${name}`);
  if (revision > 0) return releaseStore(ports, namespace).get(name, revision);
  const last = (await releaseHistory(name, namespace, ports)).at(-1);
  if (last === undefined) throw notFound();
  return last;
}

/** The last revision of every release of a namespace ('' for all), by name; those uninstalled with history only if asked. */
export async function listReleases(
  options: { readonly namespace: string; readonly statuses?: readonly ReleaseStatus[] },
  ports: ReleasePorts,
): Promise<readonly Release[]> {
  const latest = new Map<string, Release>();
  for (const release of await releaseStore(ports, options.namespace).all()) {
    const key = `${release.namespace}/${release.name}`;
    if ((latest.get(key)?.revision ?? 0) < release.revision) latest.set(key, release);
  }
  const wanted = (status: ReleaseStatus): boolean =>
    options.statuses?.includes(status) ?? !['uninstalled', 'superseded'].includes(status);
  return [...latest.values()]
    .filter(({ status }) => wanted(status))
    .toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** `name-version` of the chart that was released. */
export function chartOf({ chart }: Pick<Release, 'chart'>): string {
  return `${recordedMetadata(chart, 'name')}-${recordedMetadata(chart, 'version')}`;
}
