import {
  dns1035LabelProblems,
  type FieldError,
  type Json,
  type JsonObject,
} from '@capstan/kube-object';
import type { Schema } from '@capstan/kube-schema';
import { embeddedIn } from '../embedded.ts';
import { isObject } from '../json.ts';
import { embeddedMetadataErrors } from '../metadata-validation.ts';
import { invalidAt, requiredAt } from './checks.ts';

/** What resources within a custom resource must be (apiextensions-apiserver's schema/objectmeta Validate). */
export function embeddedErrors(object: JsonObject, schema: Schema): readonly FieldError[] {
  const errors: FieldError[] = [];
  for (const { value, path } of embeddedIn(object as Json, schema)) {
    const { apiVersion, kind, metadata } = value;
    errors.push(...textErrors(apiVersion, `${path}.apiVersion`, versionProblem));
    errors.push(...textErrors(kind, `${path}.kind`, kindProblem));
    if (isObject(metadata)) errors.push(...embeddedMetadataErrors(metadata, path));
  }
  return errors;
}

function textErrors(
  value: Json | undefined,
  at: string,
  problem: (text: string) => string | undefined,
): readonly FieldError[] {
  if (value === undefined) return [requiredAt(at)];
  if (typeof value !== 'string') return [invalidAt(at, value, 'must be a string')];
  const why = value === '' ? 'must not be empty' : problem(value);
  return why === undefined ? [] : [invalidAt(at, value, why)];
}

function versionProblem(text: string): string | undefined {
  return text.split('/').length > 2 ? `unexpected GroupVersion string: ${text}` : undefined;
}

function kindProblem(text: string): string | undefined {
  const problems = dns1035LabelProblems(text.toLowerCase());
  if (problems.length === 0) return undefined;
  return `may have mixed case, but should otherwise match: ${problems.join(',')}`;
}
