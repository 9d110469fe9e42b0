import type { Json } from '@capstan/kube-object';
import { matchesFormat } from '@capstan/kube-schema';
import { isObject, listAt, textAt, valueAt } from '../json.ts';

const NUMERIC: Readonly<Record<string, readonly string[] | undefined>> = {
  integer: ['int32', 'int64'],
  number: ['float', 'double'],
};

/** Formats of a definition's schemas that nothing is checked by, each once: `unrecognized format "uint32"`. */
export function formatWarnings(spec: Json | undefined): string[] {
  const found = new Set<string>();
  for (const version of listAt(spec, 'versions')) {
    collect(valueAt(version, 'schema', 'openAPIV3Schema'), found);
  }
  return [...found].map((format) => `unrecognized format ${JSON.stringify(format)}`);
}

function collect(node: Json | undefined, found: Set<string>): void {
  if (!isObject(node)) return;
  const format = textAt(node, 'format');
  const type = textAt(node, 'type');
  const known = NUMERIC[type]?.includes(format) ?? matchesFormat(format, '') !== undefined;
  if (format !== '' && type !== '' && !known) found.add(format);
  for (const property of Object.values(objectOf(node['properties']))) collect(property, found);
  collect(node['items'], found);
  collect(node['additionalProperties'], found);
}

function objectOf(value: Json | undefined): { readonly [key: string]: Json | undefined } {
  return isObject(value) ? value : {};
}
