import { listAt, textAt, valueAt } from '@capstan/kube-apiserver';
import type { Json, KubeObject } from '@capstan/kube-object';

/** Whether nothing on the node keeps pods with these tolerations off it. */
export function toleratesNode(tolerations: readonly Json[], node: KubeObject): boolean {
  return listAt(node, 'spec', 'taints').every(
    (taint) =>
      textAt(taint, 'effect') === 'PreferNoSchedule' ||
      tolerations.some((toleration) => tolerates(toleration, taint)),
  );
}

/** A cordoned node takes only what tolerates that. */
export function isOpenNode(tolerations: readonly Json[], node: KubeObject): boolean {
  if (valueAt(node, 'spec', 'unschedulable') !== true) return true;
  const taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };
  return tolerations.some((toleration) => tolerates(toleration, taint));
}

function tolerates(toleration: Json, taint: Json): boolean {
  const effect = textAt(toleration, 'effect');
  if (effect !== '' && effect !== textAt(taint, 'effect')) return false;
  const key = textAt(toleration, 'key');
  if (key !== '' && key !== textAt(taint, 'key')) return false;
  const operator = textAt(toleration, 'operator');
  if (operator === 'Exists') return true;
  if (operator !== '' && operator !== 'Equal') return false;
  return textAt(toleration, 'value') === textAt(taint, 'value');
}
