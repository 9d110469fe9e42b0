import type { KubeObject } from '@capstan/kube-object';
import { parseApiVersion } from '@capstan/kube-object';
import { parseYaml } from '@capstan/lib-yaml';
import { splitManifests } from '../manifests.ts';
import {
  type ClusterObjectRef,
  codeOf,
  type ReleaseCluster,
  serverMessage,
} from './cluster-port.ts';
import { ReleaseError } from './release-error.ts';

const MANAGED_BY = 'app.kubernetes.io/managed-by';
const RELEASE_NAME = 'meta.helm.sh/release-name';
const RELEASE_NAMESPACE = 'meta.helm.sh/release-namespace';
const RESOURCE_POLICY = 'helm.sh/resource-policy';

interface Owner {
  readonly name: string;
  readonly namespace: string;
}

/**
 * The objects of a manifest, each with its namespace: the release's where a namespaced one gives none. Lists are taken apart.
 * Throws with the texts of client-go for what is no object and for kinds that the cluster does not serve, all at once.
 */
export async function readObjects(
  manifest: string,
  namespace: string,
  cluster: ReleaseCluster,
): Promise<readonly KubeObject[]> {
  const failures: string[] = [];
  const kinds = new Map<string, boolean | undefined>();
  const placed: KubeObject[] = [];
  let isUnserved = false;
  const read = splitManifests(manifest).flatMap((text) => flatten(parseYaml(text)));
  for (const { object, isItem } of read) {
    const { apiVersion, kind } = object;
    const lacking = [apiVersion ? '' : 'apiVersion not set', kind ? '' : 'kind not set'];
    const problems = lacking.filter((problem) => problem !== '');
    if (problems.length > 0) {
      failures.push(`error validating "": error validating data: ${aggregate(problems)}`);
      continue;
    }
    const key = `${apiVersion} ${kind}`;
    if (!kinds.has(key)) kinds.set(key, await isNamespaced({ apiVersion, kind }, cluster));
    const namespaced = kinds.get(key);
    if (namespaced === undefined) {
      isUnserved = true;
      failures.push(noMatch(object, isItem));
    } else placed.push(place(object, namespaced ? namespace : undefined));
  }
  if (failures.length === 0) return placed;
  const hint =
    'put the CustomResourceDefinition in the folder crds/ of the chart, or install it before';
  throw new ReleaseError('RELEASE_KIND', aggregate(failures), isUnserved ? { hint } : {});
}

/** Several errors as Go's libraries print them: each once, in brackets when there is more than one. */
function aggregate(messages: readonly string[]): string {
  const once = [...new Set(messages)];
  return once.length === 1 ? `${once[0]}` : `[${once.join(', ')}]`;
}

/**
 * The objects that a revision holds, as they are applied: each with its namespace and the marks by which Helm knows its own.
 */
export async function releaseObjects(
  release: Owner & { readonly manifest: string },
  cluster: ReleaseCluster,
): Promise<readonly KubeObject[]> {
  const objects = await readObjects(release.manifest, release.namespace, cluster);
  return objects.map((object) => markOwned(object, release));
}

async function isNamespaced(
  ref: { readonly apiVersion: string; readonly kind: string },
  cluster: ReleaseCluster,
): Promise<boolean | undefined> {
  try {
    return (await cluster.discovery.resolve(ref)).namespaced;
  } catch (error) {
    if (codeOf(error) === 'KIND_NOT_SERVED') return undefined;
    throw error;
  }
}

function noMatch({ apiVersion, kind, metadata }: KubeObject, isItem: boolean): string {
  if (isItem) {
    return `unable to recognize no matches for kind ${JSON.stringify(kind)} in version ${JSON.stringify(apiVersion)}`;
  }
  return `resource mapping not found for name: ${JSON.stringify(metadata.name ?? '')} namespace: ${JSON.stringify(metadata.namespace ?? '')} from "": no matches for kind ${JSON.stringify(kind)} in version ${JSON.stringify(apiVersion)}\nensure CRDs are installed first`;
}

interface ReadObject {
  readonly object: KubeObject;
  /** Stood in a list. */
  readonly isItem: boolean;
}

function flatten(value: unknown, isItem = false): readonly ReadObject[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  const object = value as KubeObject;
  const items = object['items'];
  if (object.kind?.endsWith('List') === true && Array.isArray(items)) {
    return items.flatMap((item) => flatten(item, true));
  }
  return [{ object: { ...object, metadata: object.metadata ?? {} }, isItem }];
}

function place(object: KubeObject, namespace: string | undefined): KubeObject {
  const { namespace: own, ...metadata } = object.metadata;
  if (namespace === undefined) return { ...object, metadata };
  return { ...object, metadata: { ...metadata, namespace: own || namespace } };
}

export function refOf({ apiVersion, kind, metadata }: KubeObject): ClusterObjectRef {
  const { name = '', namespace } = metadata;
  return { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) };
}

/** Group, kind, namespace and name: by what objects of two revisions are held to be the same. */
export function identityOf({ apiVersion, kind, metadata }: KubeObject): string {
  return `${parseApiVersion(apiVersion).group}/${kind}/${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
}

/** The object with the marks by which Helm knows its own. */
export function markOwned(object: KubeObject, { name, namespace }: Owner): KubeObject {
  const { labels, annotations } = object.metadata;
  const metadata = {
    ...object.metadata,
    labels: { ...labels, [MANAGED_BY]: 'Helm' },
    annotations: { ...annotations, [RELEASE_NAME]: name, [RELEASE_NAMESPACE]: namespace },
  };
  return { ...object, metadata };
}

/** Why a live object is not the release's own, in Helm's words; '' when it is. */
export function ownershipProblem(live: KubeObject, { name, namespace }: Owner): string {
  const { labels = {}, annotations = {} } = live.metadata;
  const problems = [
    ...required(labels, MANAGED_BY, 'Helm').map((text) => `label validation error: ${text}`),
    ...required(annotations, RELEASE_NAME, name)
      .concat(required(annotations, RELEASE_NAMESPACE, namespace))
      .map((text) => `annotation validation error: ${text}`),
  ];
  return problems.length === 0 ? '' : `invalid ownership metadata; ${problems.join('; ')}`;
}

function required(
  marks: Readonly<Record<string, string>>,
  key: string,
  wanted: string,
): readonly string[] {
  const actual = marks[key];
  if (actual === wanted) return [];
  return actual === undefined
    ? [`missing key "${key}": must be set to "${wanted}"`]
    : [`key "${key}" must equal "${wanted}": current value is "${actual}"`];
}

export function resourceText({ kind, metadata }: KubeObject): string {
  return `${kind} "${metadata.name ?? ''}" in namespace "${metadata.namespace ?? ''}"`;
}

export function isKept(object: KubeObject): boolean {
  return object.metadata.annotations?.[RESOURCE_POLICY]?.trim().toLowerCase() === 'keep';
}

/**
 * Which of the objects exist already and will be updated instead of created. Unless `takeOwnership`, throws when one of
 * them is not the release's own.
 */
export async function findExisting(
  objects: readonly KubeObject[],
  owner: Owner & { readonly takeOwnership: boolean },
  cluster: ReleaseCluster,
): Promise<readonly KubeObject[]> {
  const existing: KubeObject[] = [];
  for (const object of objects) {
    const { name, generateName } = object.metadata;
    if (generateName !== undefined) {
      if (!name) continue;
      throw new ReleaseError(
        'RELEASE_MANIFEST',
        'metadata.name and metadata.generateName cannot both be set',
      );
    }
    const live = await readLive(object, cluster);
    if (live === undefined) continue;
    const problem = owner.takeOwnership ? '' : ownershipProblem(live, owner);
    if (problem !== '') {
      throw new ReleaseError(
        'RELEASE_OWNERSHIP',
        `${resourceText(object)} exists and cannot be imported into the current release: ${problem}`,
        { hint: "delete it, mark it as the release's own, or take ownership (--take-ownership)" },
      );
    }
    existing.push(object);
  }
  return existing;
}

async function readLive(
  object: KubeObject,
  cluster: ReleaseCluster,
): Promise<KubeObject | undefined> {
  const failure = (reason: string, cause?: unknown): ReleaseError =>
    new ReleaseError(
      'RELEASE_READ',
      `could not get information about the resource ${resourceText(object)}: ${reason}`,
      cause === undefined ? {} : { cause, kind: 'retry' },
    );
  if (!object.metadata.name) throw failure('resource name may not be empty');
  try {
    return await cluster.find(refOf(object));
  } catch (error) {
    throw failure(serverMessage(error), error);
  }
}
