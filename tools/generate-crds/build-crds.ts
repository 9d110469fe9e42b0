import { type JsonSchema, parseFields } from './parse-fields.ts';

interface Kind {
  readonly kind: string;
  readonly group: string;
  readonly plural: string;
  readonly scope: string;
  versions: readonly string[];
  short: readonly string[];
  categories: readonly string[];
  subresources: readonly string[];
  required: string[];
  readonly columns: { type: string; name: string; jsonPath: string; priority?: number }[];
  readonly fields: string[];
}

/** Versions that the original no longer serves are taken as they come: their fields differ from today's. */
const OPEN_SCHEMA: JsonSchema = {
  type: 'object',
  properties: {
    apiVersion: { type: 'string' },
    kind: { type: 'string' },
    metadata: { type: 'object' },
    spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  },
};

/** CustomResourceDefinitions from the text of a crds/*.txt file: the first version is stored, all are served. */
export function buildCrds(text: string): readonly object[] {
  const shapes = text
    .split('\n')
    .filter((line) => line.startsWith(SHAPE))
    .map((line) => line.slice(SHAPE.length));
  return readKinds(text).map((one) => toCrd(one, shapes));
}

const SHAPE = 'shape ';

function readKinds(text: string): readonly Kind[] {
  const kinds: Kind[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '' || line.startsWith('#') || line.startsWith(SHAPE)) continue;
    const [word = '', ...rest] = line.trim().split(' ');
    const current = kinds.at(-1);
    if (word === 'kind') kinds.push(startKind(rest));
    else if (current === undefined)
      throw new Error(`a field stands before the first kind: ${line}`);
    else if (line.startsWith('  ')) current.fields.push(line);
    else if (word === 'column') current.columns.push(readColumn(rest));
    else if (word === 'versions') current.versions = rest;
    else if (word === 'short') current.short = rest;
    else if (word === 'categories') current.categories = rest;
    else if (word === 'subresources') current.subresources = rest;
    else if (word === 'requires') current.required = rest;
    else throw new Error(`not understood: ${line}`);
  }
  return kinds;
}

function startKind([kind = '', group = '', ...rest]: readonly string[]): Kind {
  const options = new Map(rest.map((one) => one.split('=') as [string, string]));
  return {
    kind,
    group,
    plural: options.get('plural') ?? `${kind.toLowerCase()}s`,
    scope: options.get('scope') ?? 'Namespaced',
    versions: [],
    short: [],
    categories: [],
    subresources: [],
    required: [],
    columns: [],
    fields: [],
  };
}

function readColumn([type = '', name = '', jsonPath = '', priority]: readonly string[]) {
  const column = { name: name.replaceAll('_', ' '), type, jsonPath };
  return priority === undefined ? column : { ...column, priority: Number(priority.split('=')[1]) };
}

function toCrd(one: Kind, shapes: readonly string[]): object {
  const schema: JsonSchema = parseFields(one.fields, { shapes, required: one.required });
  const names = {
    kind: one.kind,
    listKind: `${one.kind}List`,
    plural: one.plural,
    singular: one.kind.toLowerCase(),
    ...(one.short.length > 0 ? { shortNames: one.short } : {}),
    ...(one.categories.length > 0 ? { categories: one.categories } : {}),
  };
  const subresources = Object.fromEntries(one.subresources.map((name) => [name, {}]));
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${one.plural}.${one.group}` },
    spec: {
      group: one.group,
      names,
      scope: one.scope,
      versions: one.versions.map((name, index) => ({
        name,
        served: true,
        storage: index === 0,
        schema: { openAPIV3Schema: index === 0 ? schema : OPEN_SCHEMA },
        ...(one.subresources.length > 0 ? { subresources } : {}),
        ...(one.columns.length > 0 ? { additionalPrinterColumns: one.columns } : {}),
      })),
    },
  };
}
