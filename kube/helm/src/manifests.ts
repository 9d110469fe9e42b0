import { toBytes } from '@capstan/lib-gotemplate';
import { parseYaml } from '@capstan/lib-yaml';
import type { HelmFlavor } from './capabilities.ts';
import { ChartError } from './chart-error.ts';
import { yamlText } from './yaml-text.ts';

/** One rendered document with the template it came from. */
export interface Manifest {
  /** Path of the template: `app/templates/service.yaml`. */
  readonly path: string;
  readonly content: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
}

export const HOOK_EVENTS = [
  'pre-install',
  'post-install',
  'pre-delete',
  'post-delete',
  'pre-upgrade',
  'post-upgrade',
  'pre-rollback',
  'post-rollback',
  'test',
] as const;
export type HookEvent = (typeof HOOK_EVENTS)[number];

export interface Hook extends Manifest {
  readonly events: readonly HookEvent[];
  readonly weight: number;
  /** `hook-succeeded`, `hook-failed`, `before-hook-creation`, as written (lower case). */
  readonly deletePolicies: readonly string[];
  readonly outputLogPolicies: readonly string[];
}

export interface SortedManifests {
  readonly hooks: readonly Hook[];
  readonly manifests: readonly Manifest[];
}

/** The order of kinds in which helm installs; unknown kinds come last, by name. */
export const INSTALL_ORDER: readonly string[] = [
  'PriorityClass',
  'Namespace',
  'NetworkPolicy',
  'ResourceQuota',
  'LimitRange',
  'PodSecurityPolicy',
  'PodDisruptionBudget',
  'ServiceAccount',
  'Secret',
  'SecretList',
  'ConfigMap',
  'StorageClass',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'CustomResourceDefinition',
  'ClusterRole',
  'ClusterRoleList',
  'ClusterRoleBinding',
  'ClusterRoleBindingList',
  'Role',
  'RoleList',
  'RoleBinding',
  'RoleBindingList',
  'Service',
  'DaemonSet',
  'Pod',
  'ReplicationController',
  'ReplicaSet',
  'Deployment',
  'HorizontalPodAutoscaler',
  'StatefulSet',
  'Job',
  'CronJob',
  'IngressClass',
  'Ingress',
  'APIService',
  'MutatingWebhookConfiguration',
  'ValidatingWebhookConfiguration',
];

/** Helm 3 has no place for webhook configurations: they come by name after what has one. */
export const INSTALL_ORDER_3: readonly string[] = INSTALL_ORDER.filter(
  (kind) => !/^(Mutating|Validating)WebhookConfiguration$/.test(kind),
);

/** The order in which helm deletes: validation before mutation, so that no webhook stands in the way. */
export const UNINSTALL_ORDER: readonly string[] = [
  'ValidatingWebhookConfiguration',
  'MutatingWebhookConfiguration',
  'APIService',
  'Ingress',
  'IngressClass',
  'Service',
  'CronJob',
  'Job',
  'StatefulSet',
  'HorizontalPodAutoscaler',
  'Deployment',
  'ReplicaSet',
  'ReplicationController',
  'Pod',
  'DaemonSet',
  'RoleBindingList',
  'RoleBinding',
  'RoleList',
  'Role',
  'ClusterRoleBindingList',
  'ClusterRoleBinding',
  'ClusterRoleList',
  'ClusterRole',
  'CustomResourceDefinition',
  'PersistentVolumeClaim',
  'PersistentVolume',
  'StorageClass',
  'ConfigMap',
  'SecretList',
  'Secret',
  'ServiceAccount',
  'PodDisruptionBudget',
  'PodSecurityPolicy',
  'LimitRange',
  'ResourceQuota',
  'NetworkPolicy',
  'Namespace',
  'PriorityClass',
];

/**
 * The documents of a rendered file. Helm 4 splits at lines that begin with `---`, blanks before each document dropped; Helm 3
 * drops those behind it too.
 */
export function splitManifests(text: string, flavor: HelmFlavor = 4): readonly string[] {
  if (flavor === 3) {
    return text
      .trim()
      .split(/(?:^|[\t\n\f\r ]*\n)---[\t\n\f\r ]*/)
      .filter((document) => document !== '')
      .map((document) => document.trim());
  }
  return text
    .trimStart()
    .split(/^---[ \t]*/m)
    .filter((document) => document.trim() !== '')
    .map((document) => document.trimStart());
}

/** Splits all rendered files into documents, tells hooks from manifests, and sorts both into helm's order of kinds. */
export function sortManifests(
  files: ReadonlyMap<string, string>,
  order: readonly string[] = INSTALL_ORDER,
  flavor: HelmFlavor = 4,
): SortedManifests {
  const hooks: Hook[] = [];
  const manifests: Manifest[] = [];
  for (const path of [...files.keys()].sort(compareBytes)) {
    const content = files.get(path) ?? '';
    if (baseOf(path).startsWith('_') || content.trim() === '') continue;
    for (const document of splitManifests(content, flavor)) {
      const head = readHead(document, path, flavor);
      const manifest = { path, content: document, ...head.identity };
      const hook = toHook(manifest, head.annotations);
      if (hook === 'none') manifests.push(manifest);
      else if (hook !== 'unknown') hooks.push(hook);
    }
  }
  return { hooks: sortByKind(hooks, order), manifests: sortByKind(manifests, order) };
}

function compareBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function baseOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

interface Head {
  readonly identity: { readonly apiVersion: string; readonly kind: string; readonly name: string };
  readonly annotations: Readonly<Record<string, unknown>>;
}

function readHead(document: string, path: string, flavor: HelmFlavor): Head {
  let value: unknown;
  try {
    value = parseYaml(document.isWellFormed() ? document : yamlText(toBytes(document)));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ChartError('CHART_MANIFEST', `YAML parse error on ${path}: ${reason}`, error);
  }
  if (value === null || value === undefined) value = {};
  const top = record(value);
  if (top === undefined) {
    const kind = Array.isArray(value) ? 'array' : typeof value;
    throw new ChartError(
      'CHART_MANIFEST',
      `YAML parse error on ${path}: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${kind} into Go value of type ${flavor === 4 ? 'util' : 'releaseutil'}.SimpleHead`,
    );
  }
  const metadata = record(top['metadata']) ?? {};
  return {
    identity: {
      apiVersion: textOf(top['apiVersion']),
      kind: textOf(top['kind']),
      name: textOf(metadata['name']),
    },
    annotations: record(metadata['annotations']) ?? {},
  };
}

function record(value: unknown): Readonly<Record<string, unknown>> | undefined {
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isRecord ? (value as Readonly<Record<string, unknown>>) : undefined;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** `unknown`: the document asks for a hook that does not exist; the original leaves it out. */
function toHook(manifest: Manifest, annotations: Head['annotations']): Hook | 'none' | 'unknown' {
  const types = annotations['helm.sh/hook'];
  if (typeof types !== 'string') return 'none';
  const events: HookEvent[] = [];
  for (const type of words(types)) {
    const event = HOOK_EVENTS.find((known) => known === (type === 'test-success' ? 'test' : type));
    if (event === undefined) return 'unknown';
    events.push(event);
  }
  const weight = annotations['helm.sh/hook-weight'];
  return {
    ...manifest,
    events,
    weight: typeof weight === 'string' && /^[+-]?\d+$/.test(weight) ? Number(weight) : 0,
    deletePolicies: policies(annotations['helm.sh/hook-delete-policy']),
    outputLogPolicies: policies(annotations['helm.sh/hook-output-log-policy']),
  };
}

function policies(value: unknown): readonly string[] {
  return typeof value === 'string' ? words(value) : [];
}

function words(text: string): readonly string[] {
  return text.split(',').map((word) => word.trim().toLowerCase());
}

function sortByKind<T extends Manifest>(
  manifests: readonly T[],
  order: readonly string[],
): readonly T[] {
  const ranks = new Map(order.map((kind, rank) => [kind, rank]));
  return manifests.toSorted((a, b) => {
    const first = ranks.get(a.kind);
    const second = ranks.get(b.kind);
    if (first !== undefined && second !== undefined) return first - second;
    if (first === undefined && second === undefined) return compareBytes(a.kind, b.kind);
    return first === undefined ? 1 : -1;
  });
}
