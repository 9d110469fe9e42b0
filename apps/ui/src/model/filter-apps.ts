import type { AppFamily, AppSummary, HealthState, SyncState } from '@capstan/apps-contract';

export interface AppFilter {
  readonly text: string;
  readonly sync: readonly SyncState[];
  readonly health: readonly HealthState[];
  readonly family: readonly AppFamily[];
}

export const NO_FILTER: AppFilter = { text: '', sync: [], health: [], family: [] };

/** Worst first: what needs a person stands at the top. */
const HEALTH_ORDER: readonly HealthState[] = [
  'Degraded',
  'Missing',
  'Progressing',
  'Unknown',
  'Suspended',
  'Healthy',
];

/** The apps that pass, sorted by health (worst first), then name. An empty list of a facet lets all pass. */
export function filterApps(apps: Iterable<AppSummary>, filter: AppFilter): readonly AppSummary[] {
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  const passes = (app: AppSummary): boolean =>
    (filter.sync.length === 0 || filter.sync.includes(app.sync)) &&
    (filter.health.length === 0 || filter.health.includes(app.health)) &&
    (filter.family.length === 0 || filter.family.includes(app.family)) &&
    words.every((word) => haystack(app).includes(word));
  return [...apps].filter(passes).sort(compareApps);
}

function haystack(app: AppSummary): string {
  return `${app.name} ${app.namespace} ${app.project} ${app.repo} ${app.path} ${app.destination}`.toLowerCase();
}

function compareApps(a: AppSummary, b: AppSummary): number {
  const health = HEALTH_ORDER.indexOf(a.health) - HEALTH_ORDER.indexOf(b.health);
  return health || a.name.localeCompare(b.name) || a.namespace.localeCompare(b.namespace);
}

/** How many apps have each value of a facet, for the filter buttons. */
export function countBy<K extends string>(
  apps: Iterable<AppSummary>,
  facet: (app: AppSummary) => K,
): ReadonlyMap<K, number> {
  const counts = new Map<K, number>();
  for (const app of apps) counts.set(facet(app), (counts.get(facet(app)) ?? 0) + 1);
  return counts;
}

export function toggle<T>(values: readonly T[], value: T): readonly T[] {
  return values.includes(value) ? values.filter((other) => other !== value) : [...values, value];
}
