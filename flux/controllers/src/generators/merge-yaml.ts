import { CapstanError, messageOf } from '@capstan/lib-std';
import { parseYaml, toYaml, type YamlValue } from '@capstan/lib-yaml';

type Values = { readonly [key: string]: YamlValue };

/**
 * One YAML file laid over another as Helm merges values: maps by key, whatever else is replaced. The documents of a file are
 * merged into one first. Comments go; keys are sorted.
 */
export function mergeYamlFiles(base: Uint8Array, overlay: Uint8Array): Uint8Array {
  return new TextEncoder().encode(toYaml(merge(readValues(base), readValues(overlay))));
}

function readValues(bytes: Uint8Array): Values {
  const documents = new TextDecoder().decode(bytes).split(/^---[ \t\r]*$/m);
  return documents.reduce<Values>((merged, document) => {
    const value = readDocument(document);
    if (value === null) return merged;
    if (!isMap(value)) {
      throw new CapstanError(
        'BUILD_FAILED',
        `cannot unmarshal YAML document: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${kindOf(value)} into Go value of type map[string]interface {}`,
      );
    }
    return merge(merged, value);
  }, {});
}

function readDocument(text: string): YamlValue {
  try {
    return parseYaml(text, { numbers: 'float64' });
  } catch (cause) {
    const message = `cannot unmarshal YAML document: ${messageOf(cause)}`;
    throw new CapstanError('BUILD_FAILED', message, { cause });
  }
}

function merge(base: Values, overlay: Values): Values {
  const merged: Record<string, YamlValue> = { ...base };
  for (const [key, value] of Object.entries(overlay)) {
    const known = merged[key];
    merged[key] = isMap(value) && isMap(known) ? merge(known, value) : value;
  }
  return merged;
}

/** As Go's encoding/json calls it. */
function kindOf(value: YamlValue): string {
  if (typeof value === 'boolean') return 'bool';
  return Array.isArray(value) ? 'array' : typeof value === 'string' ? 'string' : 'number';
}

function isMap(value: YamlValue | undefined): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
