import { type KubeObject, keyOf, type ObjectKey } from '@capstan/kube-object';

/**
 * Labels and annotations that say whose an object is. `{group} {kind} {namespace} {name}` stand for the object's own,
 * `{namespace:web}` for its namespace or, for a cluster-scoped object, `web`; there any namespace is recognised again.
 */
export interface Mark {
  readonly annotations: { readonly [name: string]: string };
  readonly labels: { readonly [name: string]: string };
}

/** The object with the marks set, over what it says itself. */
export function markObject(object: KubeObject, mark: Mark): KubeObject {
  const key = keyOf(object);
  const annotations = fillAll(mark.annotations, key);
  const labels = fillAll(mark.labels, key);
  const { metadata } = object;
  return {
    ...object,
    metadata: {
      ...metadata,
      ...(Object.keys(labels).length === 0 ? {} : { labels: { ...metadata.labels, ...labels } }),
      ...(Object.keys(annotations).length === 0
        ? {}
        : { annotations: { ...metadata.annotations, ...annotations } }),
    },
  };
}

/** Whether a live object bears exactly these marks for its own key: a copy made by another controller does not. */
export function isMarked(object: KubeObject, mark: Mark): boolean {
  const key = keyOf(object);
  const holds = (
    wanted: { readonly [name: string]: string },
    actual: { readonly [name: string]: string } | undefined,
  ) => Object.entries(wanted).every(([name, value]) => fits(value, actual?.[name], key));
  return (
    holds(mark.annotations, object.metadata.annotations) &&
    holds(mark.labels, object.metadata.labels)
  );
}

function fits(template: string, actual: string | undefined, key: ObjectKey): boolean {
  if (actual === undefined) return false;
  const at = FALLBACK.exec(template);
  if (at === null || key.namespace !== '') return actual === fill(template, key);
  const before = fill(template.slice(0, at.index), key);
  const after = fill(template.slice(at.index + at[0].length), key);
  const inner = actual.slice(before.length, actual.length - after.length);
  return (
    actual.length >= before.length + after.length &&
    actual.startsWith(before) &&
    actual.endsWith(after) &&
    !inner.includes('/')
  );
}

function fillAll(values: { readonly [name: string]: string }, key: ObjectKey) {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, fill(value, key)]),
  );
}

const FALLBACK = /\{namespace:([^}]*)\}/;

function fill(template: string, key: ObjectKey): string {
  return template
    .replace(FALLBACK, (_, fallback: string) => (key.namespace === '' ? fallback : key.namespace))
    .replace(/\{(group|kind|namespace|name)\}/g, (_, part: keyof ObjectKey) => key[part]);
}
