import type { AppProject, AppProjectSpec, GroupKind } from '@capstan/argocd-api';
import { fitsNegatable, type Guard, type NamespaceRule } from '@capstan/engine-delivery';
import { compileGlob } from '@capstan/lib-files';
import { RE2JS } from 're2js';
import { normalizeUrl } from './repositories.ts';

/** The default project as Argo CD makes it: everything is allowed. */
export const DEFAULT_PROJECT_SPEC: AppProjectSpec = {
  sourceRepos: ['*'],
  destinations: [{ server: '*', namespace: '*' }],
  clusterResourceWhitelist: [{ group: '*', kind: '*' }],
};

export interface KnownCluster {
  readonly name: string;
  readonly server: string;
  /** '' for all projects. */
  readonly project?: string;
  /** Only these namespaces are looked at; empty or absent: all. */
  readonly namespaces?: readonly string[];
  /** With namespaces: objects of the cluster's own scope, too. */
  readonly clusterResources?: boolean;
}

/**
 * What a project permits, as the engine enforces it: cluster-scoped kinds only when listed, namespaced ones unless denied
 * or, with a list of allowed ones, when on it (documentation: "Projects").
 */
export function toGuard(name: string, spec: AppProjectSpec, cluster: KnownCluster): Guard {
  const { namespaceResourceWhitelist: allowed } = spec;
  const { namespaces = [], clusterResources: clusterObjects = false } = cluster;
  return {
    name,
    ...(namespaces.length === 0 ? {} : { managed: { namespaces, clusterObjects } }),
    namespaces: (spec.destinations ?? []).map((one) => toNamespaceRule(one, cluster)),
    clusterKinds: {
      allowed: (spec.clusterResourceWhitelist ?? []).map(toPattern),
      denied: (spec.clusterResourceBlacklist ?? []).map(toPattern),
    },
    namespacedKinds: {
      ...(allowed === undefined || allowed === null ? {} : { allowed: allowed.map(toPattern) }),
      denied: (spec.namespaceResourceBlacklist ?? []).map(toPattern),
    },
  };
}

/** A destination speaks of a cluster by its address, its name, or either; `!` excludes it and allows all others. */
function toNamespaceRule(
  one: { readonly server?: string; readonly name?: string; readonly namespace?: string },
  cluster: KnownCluster,
): NamespaceRule {
  const { server = '', name = '', namespace = '' } = one;
  const serverFits = cluster.server !== '' && fitsNegatable(server, cluster.server);
  const nameFits = cluster.name !== '' && fitsNegatable(name, cluster.name);
  return {
    pattern: namespace,
    cluster: {
      allowed: serverFits || nameFits,
      denied: (!nameFits && name.startsWith('!')) || (!serverFits && server.startsWith('!')),
      named: serverFits,
    },
  };
}

/** With permitOnlyProjectScopedClusters, a cluster has to belong to the project by its Secret. */
export function isClusterPermitted(
  { spec, metadata }: AppProject,
  cluster: KnownCluster,
  clusters: readonly KnownCluster[],
): boolean {
  if (spec.permitOnlyProjectScopedClusters !== true) return true;
  return clusters.some(
    ({ project, name, server }) =>
      project === metadata.name && (name === cluster.name || server === cluster.server),
  );
}

/** A pattern with `!` denies what its rest fits, and permits everything else; `*` stays within a part of the path. */
export function isSourcePermitted(project: AppProjectSpec, url: string): boolean {
  const wanted = normalizeUrl(url);
  let isPermitted = false;
  for (const pattern of project.sourceRepos ?? []) {
    const isDenial = pattern.startsWith('!');
    const plain = normalizeUrl(isDenial ? pattern.slice(1) : pattern);
    const fits = plain === wanted || (!isDenial && plain === '*') || fitsUrl(plain, wanted);
    if (isDenial && fits) return false;
    if (isDenial || fits) isPermitted = true;
  }
  return isPermitted;
}

function fitsUrl(pattern: string, url: string): boolean {
  return /[*?[{]/.test(pattern) && compileGlob(pattern, { separator: '/', braces: true })(url);
}

/**
 * Whether applications of this namespace may name the project; those of the control plane's own namespace always may. A
 * pattern between slashes is a regular expression.
 */
export function isNamespacePermitted(
  project: AppProject,
  namespace: string,
  controlNamespace: string,
): boolean {
  if (namespace === controlNamespace) return true;
  return (project.spec.sourceNamespaces ?? []).some((pattern) => fitsListed(pattern, namespace));
}

/** A glob, or a regular expression between slashes, as lists of namespaces hold them. */
export function fitsListed(pattern: string, text: string): boolean {
  if (pattern.length > 2 && pattern.startsWith('/') && pattern.endsWith('/')) {
    if (findsExpression(pattern.slice(1, -1), text)) return true;
  }
  return !pattern.startsWith('!') && fitsNegatable(pattern, text);
}

const NAME_MAX = 63;

/** RE2's expressions, whose cost is linear; those with look-around (an administrator's) only against short names. */
function findsExpression(expression: string, text: string): boolean {
  try {
    return RE2JS.compile(expression).matcher(text).find();
  } catch {
    if (text.length > NAME_MAX || !expression.includes('(?')) return false;
  }
  try {
    return new RegExp(expression).test(text);
  } catch {
    // What is no expression may still be a glob.
    return false;
  }
}

function toPattern({ group, kind, name }: GroupKind) {
  return name === undefined ? { group, kind } : { group, kind, name };
}
