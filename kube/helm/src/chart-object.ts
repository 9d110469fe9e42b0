import {
  BOOL,
  type GoField,
  GoMap,
  GoNil,
  GoPointer,
  GoStruct,
  type GoType,
  type GoValue,
  LIST,
  pointerTo,
  STRING,
  STRING_MAP,
  STRINGS,
  sliceOf,
  strings,
  typedSlice,
} from '@capstan/lib-gotemplate';
import type { HelmFlavor } from './capabilities.ts';
import type { ChartDependency, ChartMetadata, Maintainer } from './chart.ts';

/** `.Chart`: the fields of Chart.yaml under their Go names, a map in Helm 4 and a struct in Helm 3. */
export function chartObject(metadata: ChartMetadata, isRoot: boolean, flavor: HelmFlavor): GoValue {
  if (flavor === 3) {
    const values = { Metadata: new GoStruct(METADATA, fieldValues(metadata)), IsRoot: isRoot };
    return new GoStruct(CHART, values);
  }
  return {
    ...fieldValues(metadata),
    Sources: [...metadata.sources],
    Keywords: [...metadata.keywords],
    Maintainers: metadata.maintainers.map(maintainerFields),
    Dependencies: metadata.dependencies.map((one) => ({
      ...dependencyFields(one),
      Tags: [...one.tags],
      ImportValues: importValues(one),
    })),
    IsRoot: isRoot,
  };
}

function fieldValues(metadata: ChartMetadata): { [name: string]: GoValue } {
  const { maintainers, dependencies, annotations } = metadata;
  return {
    Name: metadata.name,
    Home: metadata.home,
    Sources: texts(metadata.sources),
    Version: metadata.version,
    Description: metadata.description,
    Keywords: texts(metadata.keywords),
    Maintainers: pointers(MAINTAINER, maintainers.map(maintainerFields)),
    Icon: metadata.icon,
    APIVersion: metadata.apiVersion,
    Condition: metadata.condition,
    Tags: metadata.tags,
    AppVersion: metadata.appVersion,
    Deprecated: metadata.deprecated,
    Annotations:
      annotations === null ? new GoNil(STRING_MAP) : new GoMap(STRING_MAP, { ...annotations }),
    KubeVersion: metadata.kubeVersion,
    Dependencies: pointers(DEPENDENCY, dependencies.map(dependencyFields)),
    Type: metadata.type,
  };
}

/** What Chart.yaml does not give is a nil list. */
function texts(items: readonly string[]): GoValue {
  return items.length === 0 ? new GoNil(STRINGS) : strings(items);
}

function pointers(type: GoType, rows: readonly { [name: string]: GoValue }[]): GoValue {
  const list = sliceOf(pointerTo(type));
  if (rows.length === 0) return new GoNil(list);
  return typedSlice(
    list,
    rows.map((row) => new GoPointer(new GoStruct(type, row), pointerTo(type))),
  );
}

function maintainerFields({ name, email, url }: Maintainer): { [name: string]: GoValue } {
  return { Name: name, Email: email, URL: url };
}

function dependencyFields(dependency: ChartDependency): { [name: string]: GoValue } {
  return {
    Name: dependency.name,
    Version: dependency.version,
    Repository: dependency.repository,
    Condition: dependency.condition,
    Tags: texts(dependency.tags),
    Enabled: dependency.enabled,
    ImportValues: importValues(dependency),
    Alias: dependency.alias,
  };
}

function importValues(dependency: ChartDependency): GoValue {
  return dependency.importValues.map((entry) =>
    typeof entry === 'string' ? entry : new GoMap(STRING_MAP, { ...entry }),
  );
}

function field(name: string, type: GoType, json: string): GoField {
  return { name, type, json, omitEmpty: true };
}

function always(name: string, json: string): GoField {
  return { name, type: STRING, json };
}

const MAINTAINER: GoType = {
  kind: 'struct',
  text: 'chart.Maintainer',
  named: true,
  fields: [
    field('Name', STRING, 'name'),
    field('Email', STRING, 'email'),
    field('URL', STRING, 'url'),
  ],
};

const DEPENDENCY: GoType = {
  kind: 'struct',
  text: 'chart.Dependency',
  named: true,
  fields: [
    always('Name', 'name'),
    field('Version', STRING, 'version'),
    always('Repository', 'repository'),
    field('Condition', STRING, 'condition'),
    field('Tags', STRINGS, 'tags'),
    field('Enabled', BOOL, 'enabled'),
    field('ImportValues', LIST, 'import-values'),
    field('Alias', STRING, 'alias'),
  ],
};

const METADATA: GoType = {
  kind: 'struct',
  text: 'chart.Metadata',
  named: true,
  fields: [
    field('Name', STRING, 'name'),
    field('Home', STRING, 'home'),
    field('Sources', STRINGS, 'sources'),
    field('Version', STRING, 'version'),
    field('Description', STRING, 'description'),
    field('Keywords', STRINGS, 'keywords'),
    field('Maintainers', sliceOf(pointerTo(MAINTAINER)), 'maintainers'),
    field('Icon', STRING, 'icon'),
    field('APIVersion', STRING, 'apiVersion'),
    field('Condition', STRING, 'condition'),
    field('Tags', STRING, 'tags'),
    field('AppVersion', STRING, 'appVersion'),
    field('Deprecated', BOOL, 'deprecated'),
    field('Annotations', STRING_MAP, 'annotations'),
    field('KubeVersion', STRING, 'kubeVersion'),
    field('Dependencies', sliceOf(pointerTo(DEPENDENCY)), 'dependencies'),
    field('Type', STRING, 'type'),
  ],
};

const CHART: GoType = {
  kind: 'struct',
  text: 'struct { chart.Metadata; IsRoot bool }',
  fields: [
    { name: 'Metadata', type: METADATA, embedded: true },
    { name: 'IsRoot', type: BOOL },
  ],
};
