import { childPath, formatFieldError, type Json, type JsonObject } from '@capstan/kube-object';
import { decodeBuiltIn, type Schema } from '@capstan/kube-schema';
import { decodeTyped } from './decode-typed.ts';
import { type Embedded, embeddedIn } from './embedded.ts';
import { type Draft, type DraftObject, isDraftObject } from './json.ts';

/** What is wrong with the metadata of a custom resource, and which fields of it are unknown. */
export interface Coerced {
  readonly problem: string | undefined;
  readonly unknown: readonly string[];
}

/**
 * Brings the metadata of a custom resource, and of the resources in it, into the form that Go's ObjectMeta has
 * (apiextensions-apiserver's schema/objectmeta). Changes the draft.
 */
export function coerceMetadata(
  draft: DraftObject,
  schemas: { readonly own: Schema; readonly objectMeta: Schema },
): Coerced {
  const unknown: string[] = [];
  const { metadata } = draft;
  if (metadata !== undefined) {
    const wrong = coerce(metadata, 'metadata', schemas.objectMeta, unknown);
    if (wrong !== undefined) return { problem: wrong, unknown };
    if (metadata === null) draft['metadata'] = {};
  }
  for (const { value, path } of embeddedIn(draft as Json, schemas.own)) {
    const problem = embeddedProblem(value, path, { objectMeta: schemas.objectMeta, unknown });
    if (problem !== undefined) return { problem, unknown };
  }
  return { problem: undefined, unknown };
}

function coerce(
  metadata: Draft,
  path: string,
  objectMeta: Schema,
  unknown: string[],
): string | undefined {
  if (metadata === null) return undefined;
  if (!isDraftObject(metadata)) {
    const type = Array.isArray(metadata) ? 'array' : typeof metadata;
    const name = type === 'boolean' ? 'bool' : type;
    return `json: cannot unmarshal ${name} into Go value of type v1.ObjectMeta`;
  }
  const { typeError, unknownFields } = decodeBuiltIn(objectMeta, metadata as JsonObject);
  if (typeError !== undefined) return typeError;
  unknown.push(
    ...unknownFields.map((field) => `unknown field ${JSON.stringify(`${path}.${field}`)}`),
  );
  decodeTyped(metadata, objectMeta);
  return undefined;
}

function embeddedProblem(
  value: Embedded['value'],
  path: string,
  { objectMeta, unknown }: { readonly objectMeta: Schema; readonly unknown: string[] },
): string | undefined {
  const invalid = (key: string, detail: string): string =>
    formatFieldError({
      reason: 'FieldValueInvalid',
      field: childPath(path, key),
      value: value[key] ?? null,
      detail,
    });
  for (const key of ['apiVersion', 'kind']) {
    const text = value[key];
    if (text !== undefined && typeof text !== 'string') return invalid(key, 'must be a string');
  }
  if (value['metadata'] === undefined) return undefined;
  const wrong = coerce(value['metadata'] as Draft, `${path}.metadata`, objectMeta, unknown);
  return wrong === undefined ? undefined : invalid('metadata', wrong);
}
