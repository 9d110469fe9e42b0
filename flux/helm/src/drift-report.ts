/** Where the cluster differs from what a release holds, and how that is told. Pure. */
import type { Json, KubeObject } from '@capstan/kube-object';

export type JsonPatchOperation =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: Json }
  | { readonly op: 'remove'; readonly path: string };

export type ObjectDrift =
  | { readonly kind: 'same' | 'missing' | 'excluded'; readonly object: KubeObject }
  /** The patch that brings the live object back. */
  | {
      readonly kind: 'changed';
      readonly object: KubeObject;
      readonly patch: readonly JsonPatchOperation[];
    };

export type DriftReport = readonly ObjectDrift[];

export function hasDrift(report: DriftReport): boolean {
  return report.some(({ kind }) => kind === 'missing' || kind === 'changed');
}

/** A line per object that is not as it should be. */
export function summarizeDrift(report: DriftReport): string {
  return report.flatMap(lineOf).join('\n');
}

function lineOf(drift: ObjectDrift): readonly string[] {
  const name = objectText(drift.object);
  switch (drift.kind) {
    case 'same':
      return [];
    case 'missing':
      return [`${name} removed`];
    case 'excluded':
      return [`${name} excluded`];
    case 'changed': {
      const count = (op: string): number => drift.patch.filter((one) => one.op === op).length;
      return [
        `${name} changed (${count('add')} additions, ${count('replace')} changes, ${count('remove')} removals)`,
      ];
    }
    default:
      return drift satisfies never;
  }
}

/** `Kind/namespace/name` */
export function objectText({ kind, metadata }: KubeObject): string {
  const { namespace = '', name = '' } = metadata;
  return namespace === '' ? `${kind}/${name}` : `${kind}/${namespace}/${name}`;
}
