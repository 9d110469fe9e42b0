import type { Application, AppProject, AppProjectSpec } from '@capstan/argocd-api';
import { fitsNegatable } from '@capstan/engine-delivery';
import { type JsonObject, labelSelectorOf, matchesLabels } from '@capstan/kube-object';
import { globProblem } from '@capstan/lib-files';
import { CapstanError } from '@capstan/lib-std';
import type { KnownCluster } from './project-guard.ts';

/** An entry of argocd-cm's globalProjects: projects with these labels inherit from that one. */
export interface GlobalProject {
  readonly projectName: string;
  readonly labelSelector: JsonObject;
}

const INHERITED = [
  'clusterResourceWhitelist',
  'clusterResourceBlacklist',
  'namespaceResourceWhitelist',
  'namespaceResourceBlacklist',
  'syncWindows',
  'sourceRepos',
  'destinations',
  'destinationServiceAccounts',
] as const satisfies readonly (keyof AppProjectSpec)[];

/** The project with what it inherits from global ones (documentation: "Global Projects"). */
export function inheritGlobal(
  project: AppProject,
  globals: readonly GlobalProject[],
  find: (name: string) => AppProject | undefined,
): AppProject {
  let { spec } = project;
  for (const { projectName, labelSelector } of globals) {
    const selector = labelSelectorOf(labelSelector);
    if (selector === undefined || !matchesLabels(selector, project.metadata.labels)) continue;
    const from = find(projectName)?.spec;
    if (from !== undefined) spec = inherit(spec, from);
  }
  return spec === project.spec ? project : { ...project, spec };
}

function inherit(spec: AppProjectSpec, from: AppProjectSpec): AppProjectSpec {
  const lists = INHERITED.flatMap((name) => {
    const [own, more] = [spec[name], from[name]];
    return more === undefined || more === null ? [] : [[name, [...(own ?? []), ...more]] as const];
  });
  return { ...spec, ...Object.fromEntries(lists) };
}

const FORBIDDEN = /[!*[\]{}\\/]/;

/**
 * The service account to act as at a destination; undefined when no entry of destinationServiceAccounts fits. The first
 * one that fits counts. Throws for a name that could mean something else than one account.
 */
export function findServiceAccount(
  { spec }: AppProject,
  { metadata, spec: { destination } }: Application,
  cluster: KnownCluster,
): { readonly namespace: string; readonly name: string } | undefined {
  const namespace = destination.namespace ?? '';
  const found = spec.destinationServiceAccounts?.find((one) => {
    const [server, place] = [one.server ?? '', one.namespace ?? ''];
    // What comes before the one that fits has to be readable, too.
    checkGlob(server, 'server');
    checkGlob(place, 'namespace');
    return fits(server, cluster.server) && fits(place, namespace);
  });
  if (found === undefined) return undefined;
  const account = found.defaultServiceAccount ?? '';
  if (account.trim() === '' || FORBIDDEN.test(account))
    throw invalid(`default service account contains invalid chars '${account}'`);
  const colon = account.indexOf(':');
  if (colon >= 0) return { namespace: account.slice(0, colon), name: account.slice(colon + 1) };
  return { namespace: namespace || (metadata.namespace ?? ''), name: account };
}

function checkGlob(pattern: string, what: string): void {
  const problem = globProblem(pattern);
  if (problem !== undefined)
    throw invalid(`invalid glob pattern for destination ${what}: ${problem}`);
}

function invalid(message: string): CapstanError {
  return new CapstanError('IMPERSONATION_INVALID', message, {
    hint: 'correct spec.destinationServiceAccounts of the project',
  });
}

function fits(pattern: string, text: string): boolean {
  return !pattern.startsWith('!') && fitsNegatable(pattern, text);
}
