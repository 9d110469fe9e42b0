import { toYaml, type YamlValue } from '@capstan/lib-yaml';

import type { FieldSpec } from './transformer-config.ts';

/** A plain value without what is unset, as Go's `omitempty` leaves it out. */
function compact(value: unknown): YamlValue | undefined {
  if (value === undefined || value === null || value === '' || value === false || value === 0) {
    return undefined;
  }
  if (Array.isArray(value)) {
    return value.length === 0 ? undefined : value.map((item) => compact(item) ?? {});
  }
  if (typeof value !== 'object') return value as YamlValue;
  const result: { [key: string]: YamlValue } = {};
  for (const [key, inner] of Object.entries(value)) {
    const kept = compact(inner);
    if (kept !== undefined) result[key] = kept;
  }
  return result;
}

/** The configuration of a built-in plugin as YAML, which the original's messages quote. */
export function configYaml(config: { readonly [key: string]: unknown }): string {
  const value = compact(config);
  return value === undefined ? '{}\n' : toYaml(value);
}

export function specConfig(spec: FieldSpec): { readonly [key: string]: unknown } {
  const { group, version, kind, path, create } = spec;
  return { group, version, kind, path, create };
}
