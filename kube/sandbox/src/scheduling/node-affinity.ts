import { listAt, objectAt, textAt, valueAt } from '@capstan/kube-apiserver';
import type { Json, KubeObject } from '@capstan/kube-object';

/** Whether a node is one that the pod's nodeSelector and required node affinity allow. */
export function isChosenNode(spec: Json | undefined, node: KubeObject): boolean {
  const labels = node.metadata.labels ?? {};
  const selector = Object.entries(objectAt(spec, 'nodeSelector'));
  if (!selector.every(([key, value]) => labels[key] === value)) return false;
  const required = valueAt(
    spec,
    'affinity',
    'nodeAffinity',
    'requiredDuringSchedulingIgnoredDuringExecution',
  );
  if (required === undefined) return true;
  return listAt(required, 'nodeSelectorTerms').some((term) => matchesTerm(term, node));
}

/** All that a term asks for; one that asks for nothing matches nothing. */
function matchesTerm(term: Json, node: KubeObject): boolean {
  const expressions = listAt(term, 'matchExpressions');
  const fields = listAt(term, 'matchFields');
  if (expressions.length + fields.length === 0) return false;
  const labels = node.metadata.labels ?? {};
  const ofField = (key: string): string | undefined =>
    key === 'metadata.name' ? node.metadata.name : undefined;
  return (
    expressions.every((one) => holds(one, labels[textAt(one, 'key')])) &&
    fields.every((one) => holds(one, ofField(textAt(one, 'key'))))
  );
}

function holds(requirement: Json, value: string | undefined): boolean {
  const wanted = listAt(requirement, 'values').map(String);
  switch (textAt(requirement, 'operator')) {
    case 'In':
      return value !== undefined && wanted.includes(value);
    case 'NotIn':
      return value === undefined || !wanted.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return compare(value, wanted[0], (left, right) => left > right);
    case 'Lt':
      return compare(value, wanted[0], (left, right) => left < right);
    default:
      return false;
  }
}

function compare(
  value: string | undefined,
  wanted: string | undefined,
  holdsFor: (left: bigint, right: bigint) => boolean,
): boolean {
  const isWhole = (text: string | undefined): text is string => /^-?\d+$/.test(text ?? '');
  return isWhole(value) && isWhole(wanted) && holdsFor(BigInt(value), BigInt(wanted));
}
