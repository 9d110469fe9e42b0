import type { Json } from '@capstan/kube-object';
import { messageOf } from '@capstan/lib-std';
import { failure } from './failure.ts';
import type { Loader } from './loader.ts';
import {
  emptyConfig,
  fieldSpec,
  mergeConfigs,
  type TransformerConfig,
} from './transformer-config.ts';
import { decodeText } from './utf8.ts';
import { yamlValue } from './yaml-value.ts';

type Dictionary = Readonly<Record<string, Json | undefined>>;

/** The field specs that the `crds` files give by their extensions (`x-kubernetes-annotation`, …). */
export function crdConfig(loader: Loader, paths: readonly string[]): TransformerConfig | undefined {
  let config: TransformerConfig | undefined;
  for (const path of paths) {
    const definitions = readDefinitions(decodeText(loader.load(path).bytes), path);
    for (const [name, definition] of Object.entries(definitions)) {
      const properties = propertiesOf(definition);
      if (!['kind', 'apiVersion', 'metadata'].every((field) => Object.hasOwn(properties, field))) {
        continue;
      }
      const kind = name.slice(name.lastIndexOf('.') + 1);
      const found = new Set<string>();
      config = collect({ kind, definitions, found }, name, [], config ?? emptyConfig());
    }
  }
  return config;
}

function readDefinitions(text: string, path: string): Dictionary {
  try {
    return dictionary(yamlValue(text));
  } catch (error) {
    throw failure(`unable to parse open API definition from '${path}': ${messageOf(error)}`);
  }
}

function dictionary(value: Json | undefined): Dictionary {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Dictionary)
    : {};
}

function propertiesOf(definition: Json | undefined): Dictionary {
  return dictionary(dictionary(dictionary(definition)['Schema'])['properties']);
}

interface Search {
  readonly kind: string;
  readonly definitions: Dictionary;
  /** Definitions on the way down, so that one which refers to itself ends. */
  readonly found: Set<string>;
}

function collect(
  search: Search,
  name: string,
  path: readonly string[],
  start: TransformerConfig,
): TransformerConfig {
  const { kind, definitions, found } = search;
  if (found.has(name)) return start;
  found.add(name);
  let config = start;
  for (const [property, value] of Object.entries(propertiesOf(definitions[name]))) {
    const here = [...path, property];
    const fields = dictionary(value);
    config = mergeConfigs(config, configOf(kind, here, fields));
    const ref = fields['$ref'];
    if (typeof ref === 'string') config = collect(search, ref, here, config);
  }
  found.delete(name);
  return config;
}

function configOf(kind: string, path: readonly string[], fields: Dictionary): TransformerConfig {
  const spec = (at: readonly string[]) => fieldSpec({ kind, path: at.join('/') });
  const has = (extension: string) => typeof fields[`x-kubernetes-${extension}`] === 'string';
  const text = (extension: string) => {
    const value = fields[`x-kubernetes-${extension}`];
    return typeof value === 'string' ? value : undefined;
  };
  const version = text('object-ref-api-version');
  const refKind = text('object-ref-kind');
  const nameKey = text('object-ref-name-key') ?? 'name';
  return {
    ...emptyConfig(),
    commonAnnotations: has('annotation') ? [spec(path)] : [],
    commonLabels: has('label-selector') ? [spec(path)] : [],
    namePrefix: has('identity') ? [spec(path)] : [],
    nameReference:
      version === undefined || refKind === undefined
        ? []
        : [{ group: '', version, kind: refKind, referrers: [spec([...path, nameKey])] }],
  };
}
