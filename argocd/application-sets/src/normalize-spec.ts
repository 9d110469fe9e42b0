import type { Json, JsonObject } from '@capstan/kube-object';
import { isEmpty, isRecord } from './json.ts';

/** Pointers in Argo CD's types: kept when given, even if zero. */
const POINTERS: ReadonlySet<string> = new Set([
  'enabled',
  'prune',
  'selfHeal',
  'allowEmpty',
  'revisionHistoryLimit',
  'factor',
]);
/** Structures whose presence alone says something. */
const MEANINGFUL: ReadonlySet<string> = new Set([
  'automated',
  'directory',
  'source',
  'destination',
]);
const REQUIRED: ReadonlySet<string> = new Set(['project', 'repoURL', 'kind', 'name', 'value']);

/**
 * An Application's spec as Argo CD would write it: fields at their zero value are left out, an absent project is
 * `default`, and an empty sync policy is none. So two specs that mean the same are the same.
 */
export function normalizeSpec(spec: JsonObject): JsonObject {
  const compact = compactRecord(spec);
  const project = isEmpty(compact['project']) ? 'default' : compact['project'];
  return { ...compact, ...(project === undefined ? {} : { project }) };
}

function compactRecord(record: JsonObject): JsonObject {
  const entries = Object.entries(record).flatMap(([key, value]) => {
    if (value === undefined) return [];
    const compact = key === 'valuesObject' || isTextMap(key) ? value : compactValue(value);
    const drops = isEmpty(compact) && !keeps(key, compact);
    return drops ? [] : [[key, compact] as const];
  });
  return Object.fromEntries(entries);
}

function keeps(key: string, value: Json): boolean {
  if (value === null) return false;
  if (isRecord(value)) return MEANINGFUL.has(key) || key === 'valuesObject';
  return POINTERS.has(key) ? typeof value !== 'string' : REQUIRED.has(key) && value === '';
}

/** Maps of free keys, whose values may be empty texts. */
function isTextMap(key: string): boolean {
  return (
    key === 'commonLabels' ||
    key === 'commonAnnotations' ||
    key === 'labels' ||
    key === 'annotations'
  );
}

function compactValue(value: Json): Json {
  if (isList(value)) return value.map(compactValue);
  return isRecord(value) ? compactRecord(value) : value;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
