import type { Json, KubeObject } from '@capstan/kube-object';
import { isList, isRecord } from './field-path.ts';
import { isSecret } from './mask-secrets.ts';

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
const CLUSTER_ROLE = 'rbac.authorization.k8s.io';

/**
 * The desired object as the server would keep it, reduced to what can be compared: identity, labels, annotations,
 * finalizers, owners, and all other members, status only if it is asked for. A Secret's stringData is folded into data.
 */
export function normalizeDesired(
  object: KubeObject,
  options: { readonly ignoreAggregatedRoles: boolean; readonly keepsStatus?: boolean },
): KubeObject {
  const { status, ...others } = object;
  const rest = options.keepsStatus === true && status !== undefined ? object : others;
  let result: KubeObject = { ...rest, ...head(object), metadata: comparableMetadata(object) };
  if (isSecret(object)) result = foldStringData(result);
  if (options.ignoreAggregatedRoles && isAggregated(result)) {
    result = withoutRules(result);
  }
  return result;
}

export function withoutRules(object: KubeObject): KubeObject {
  const { rules: _rules, ...kept } = object;
  return { ...kept, ...head(object) };
}

function head(object: KubeObject): Pick<KubeObject, 'apiVersion' | 'kind' | 'metadata'> {
  return { apiVersion: object.apiVersion, kind: object.kind, metadata: object.metadata };
}

function comparableMetadata(object: KubeObject): KubeObject['metadata'] {
  const { labels, annotations, finalizers, ownerReferences, name, namespace } = object.metadata;
  const kept: { [key: string]: Json } = {};
  if (name !== undefined) kept['name'] = name;
  if (namespace !== undefined) kept['namespace'] = namespace;
  if (isRecord(labels)) kept['labels'] = labels;
  if (isRecord(annotations)) {
    const { [LAST_APPLIED]: _ours, ...others } = annotations;
    kept['annotations'] = others;
  }
  if (isList(finalizers)) kept['finalizers'] = finalizers;
  if (isList(ownerReferences)) kept['ownerReferences'] = ownerReferences;
  return kept;
}

/**
 * What is compared, with kubectl's note of an earlier apply where the manifest holds one (it was read from a cluster): it is sent,
 * and though nobody compares it, it was not given up.
 */
export function withLastApplied(compared: KubeObject, desired: KubeObject): KubeObject {
  const noted = desired.metadata.annotations?.[LAST_APPLIED];
  if (noted === undefined) return compared;
  const annotations = { ...compared.metadata.annotations, [LAST_APPLIED]: noted };
  return { ...compared, metadata: { ...compared.metadata, annotations } };
}

function foldStringData(secret: KubeObject): KubeObject {
  const { stringData, data, ...rest } = secret;
  if (!isRecord(stringData)) return secret;
  const folded: { [key: string]: Json | undefined } = isRecord(data) ? { ...data } : {};
  for (const [name, value] of Object.entries(stringData)) {
    if (typeof value === 'string') folded[name] = encodeBase64(value);
  }
  return { ...rest, ...head(secret), data: folded };
}

function encodeBase64(text: string): string {
  let binary = '';
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** A role whose rules the server puts together from others. */
export function isAggregated(object: KubeObject): boolean {
  return (
    object.kind === 'ClusterRole' &&
    object.apiVersion.startsWith(`${CLUSTER_ROLE}/`) &&
    isRecord(object['aggregationRule'])
  );
}
