import type { Json, JsonObject, KubeObject } from '@capstan/kube-object';
import { type FieldPath, isRecord } from './field-path.ts';

const MASK = '++++++++';
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

export function isSecret(object: Pick<KubeObject, 'apiVersion' | 'kind'>): boolean {
  // Also one that was put together by hand and names no version.
  return object.kind === 'Secret' && !String(object.apiVersion).includes('/');
}

/**
 * The object as it may be shown: values of a Secret's data and stringData, and of annotations that repeat them, are
 * replaced. Equal values of one key get equal masks within one call, so that a reader sees what differs and not what it is,
 * nor whether two keys hold the same.
 */
export function maskSecrets<T extends readonly (KubeObject | undefined)[]>(
  objects: T,
  options: { readonly sensitiveAnnotations?: readonly string[] } = {},
): { [K in keyof T]: T[K] } {
  const seen = new Map<string, Map<string, string>>();
  const mask = (name: string, value: Json | undefined): string => {
    const masks = seen.get(name) ?? new Map<string, string>();
    seen.set(name, masks);
    const text = JSON.stringify(value) ?? '';
    const known = masks.get(text);
    if (known !== undefined) return known;
    const made = MASK + '+'.repeat(masks.size);
    masks.set(text, made);
    return made;
  };
  const sensitive = options.sensitiveAnnotations ?? [];
  const masked = objects.map((object) =>
    object === undefined ? undefined : maskObject(object, { mask, sensitive }),
  );
  return masked as { [K in keyof T]: T[K] };
}

/** Whether the value at this path of an object of this kind must not be shown. */
export function isSensitive(
  object: Pick<KubeObject, 'apiVersion' | 'kind'>,
  path: FieldPath,
  sensitiveAnnotations: readonly string[] = [],
): boolean {
  const [first, second, third] = path.map((step) => ('field' in step ? step.field : ''));
  if (first === 'metadata' && second === 'annotations') {
    if (third === undefined) return isSecret(object);
    return sensitiveAnnotations.includes(third) || (isSecret(object) && third === LAST_APPLIED);
  }
  return isSecret(object) && (first === 'data' || first === 'stringData');
}

interface Masking {
  readonly mask: (name: string, value: Json | undefined) => string;
  readonly sensitive: readonly string[];
}

function maskObject(object: KubeObject, { mask, sensitive }: Masking): KubeObject {
  const annotations = object.metadata.annotations;
  const hidden = Object.keys(annotations ?? {}).filter((name) =>
    isSensitive(
      object,
      [{ field: 'metadata' }, { field: 'annotations' }, { field: name }],
      sensitive,
    ),
  );
  if (!isSecret(object) && hidden.length === 0) return object;
  const metadata =
    hidden.length === 0
      ? object.metadata
      : { ...object.metadata, annotations: maskNames(annotations ?? {}, hidden, mask) };
  const copy: { [key: string]: Json | undefined } = { ...object };
  if (isSecret(object)) {
    for (const name of ['data', 'stringData']) {
      const values = copy[name];
      if (isRecord(values)) copy[name] = maskAll(values, mask);
      else if (values !== undefined && values !== null) copy[name] = MASK;
    }
  }
  return { ...copy, apiVersion: object.apiVersion, kind: object.kind, metadata };
}

function maskAll(values: JsonObject, mask: Masking['mask']): JsonObject {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, mask(name, value)]),
  );
}

function maskNames(
  values: { readonly [name: string]: string },
  names: readonly string[],
  mask: Masking['mask'],
): { readonly [name: string]: string } {
  return {
    ...values,
    ...Object.fromEntries(names.map((name) => [name, mask(name, values[name])])),
  };
}
