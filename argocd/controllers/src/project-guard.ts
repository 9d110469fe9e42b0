import type { AppProject, AppProjectSpec, GroupKind } from '@capstan/argocd-api';
import type { Guard } from '@capstan/engine-delivery';
import { matchesGlob } from '@capstan/engine-diff';
import { normalizeUrl } from './repositories.ts';

/** The default project as Argo CD makes it: everything is allowed. */
export const DEFAULT_PROJECT_SPEC: AppProjectSpec = {
  sourceRepos: ['*'],
  destinations: [{ server: '*', namespace: '*' }],
  clusterResourceWhitelist: [{ group: '*', kind: '*' }],
};

/**
 * What a project permits, as the engine enforces it: cluster-scoped kinds only when listed, namespaced ones unless denied
 * or, with a list of allowed ones, when on it (documentation: "Projects").
 */
export function toGuard(
  name: string,
  spec: AppProjectSpec,
  cluster: { readonly name: string; readonly server: string },
): Guard {
  const { namespaceResourceWhitelist: allowed = [] } = spec;
  return {
    name,
    destinations: (spec.destinations ?? []).map((one) => ({
      // A destination that names the cluster speaks of this one when the name fits.
      cluster:
        one.name && fitsName(one.name, cluster.name)
          ? markLike(one.name, cluster.server)
          : (one.server ?? ''),
      namespace: one.namespace ?? '',
    })),
    clusterKinds: {
      allowed: (spec.clusterResourceWhitelist ?? []).map(toPattern),
      denied: (spec.clusterResourceBlacklist ?? []).map(toPattern),
    },
    namespacedKinds: {
      ...(allowed.length === 0 ? {} : { allowed: allowed.map(toPattern) }),
      denied: (spec.namespaceResourceBlacklist ?? []).map(toPattern),
    },
  };
}

/** Patterns that begin with `!` deny; a URL is permitted when one allows it and none denies it. */
export function isSourcePermitted(project: AppProjectSpec, url: string): boolean {
  const wanted = normalizeUrl(url);
  const fits = (pattern: string) => pattern === '*' || matchesGlob(normalizeUrl(pattern), wanted);
  const patterns = project.sourceRepos ?? [];
  if (patterns.some((pattern) => pattern.startsWith('!') && fits(pattern.slice(1)))) return false;
  return patterns.some((pattern) => !pattern.startsWith('!') && fits(pattern));
}

/** Whether applications of this namespace may name the project; those of the control plane's own namespace always may. */
export function isNamespacePermitted(
  project: AppProject,
  namespace: string,
  controlNamespace: string,
): boolean {
  if (namespace === controlNamespace) return true;
  return (project.spec.sourceNamespaces ?? []).some(
    (pattern) => matchesGlob(pattern, namespace) || pattern === namespace,
  );
}

function toPattern({ group, kind, name }: GroupKind) {
  return name === undefined ? { group, kind } : { group, kind, name };
}

function fitsName(pattern: string, name: string): boolean {
  const plain = pattern.startsWith('!') ? pattern.slice(1) : pattern;
  return plain === name || matchesGlob(plain, name);
}

function markLike(pattern: string, server: string): string {
  return pattern.startsWith('!') ? `!${server}` : server;
}
