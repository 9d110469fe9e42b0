import type { KubeObject } from '@capstan/kube-object';
import type { KindSchema } from '@capstan/kube-schema';
import { compareTyped } from './compare.ts';
import type { FieldSet } from './field-set.ts';
import { goJson } from './go-text.ts';
import { toFieldSet } from './to-field-set.ts';
import { typeProblems } from './validate-type.ts';
import { isMap } from './value.ts';

/** Where `kubectl apply` keeps what it applied last. */
export const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration';
/** All annotations of an object together, names and values. */
const annotationsSizeMax = 256 * 1024;

export function hasLastApplied(object: KubeObject): boolean {
  return Boolean(object.metadata?.annotations?.[lastAppliedAnnotation]);
}

/** The applied object as the annotation holds it: JSON with sorted keys, without the annotation itself, and a newline. */
export function formatLastApplied(applied: KubeObject): string {
  const annotations = applied.metadata?.annotations;
  if (annotations === undefined) return `${goJson(applied)}\n`;
  const { [lastAppliedAnnotation]: _, ...rest } = annotations;
  const { annotations: __, ...metadata } = applied.metadata;
  const kept = Object.keys(rest).length > 0 ? { ...metadata, annotations: rest } : metadata;
  return `${goJson({ ...applied, metadata: kept })}\n`;
}

/** The object with the annotation brought up to date, or without it if it would not fit. */
export function withLastApplied(object: KubeObject, applied: KubeObject): KubeObject {
  const annotations: Record<string, string> = { ...object.metadata.annotations };
  annotations[lastAppliedAnnotation] = formatLastApplied(applied);
  let size = 0;
  for (const [name, value] of Object.entries(annotations)) size += bytes(name) + bytes(value);
  if (size > annotationsSizeMax) delete annotations[lastAppliedAnnotation];
  return { ...object, metadata: { ...object.metadata, annotations } };
}

function bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}

/**
 * The fields that client-side apply set last and that still have that value: kubectl may take them over by server-side
 * apply without a conflict. undefined if the annotation is absent, unreadable or of another version.
 */
export function allowedByLastApplied(live: KubeObject, schema: KindSchema): FieldSet | undefined {
  const text = live.metadata?.annotations?.[lastAppliedAnnotation];
  if (!text) return undefined;
  let last: unknown;
  try {
    last = JSON.parse(text);
  } catch {
    return undefined;
  }
  const value = last as KubeObject;
  if (!isMap(value) || value.apiVersion !== live.apiVersion) return undefined;
  const { mergeType } = schema;
  const strict = { allowDuplicates: false };
  if (typeProblems(mergeType, value, strict).length > 0) return undefined;
  if (typeProblems(mergeType, live, strict).length > 0) return undefined;
  const { added, modified, removed } = compareTyped(mergeType, value, live);
  return toFieldSet(mergeType, value).difference(modified).difference(added).difference(removed);
}
