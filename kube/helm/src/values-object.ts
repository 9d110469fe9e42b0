import {
  ANY,
  DICT,
  GoError,
  GoFunc,
  type GoImplementation,
  GoMap,
  type GoType,
  type GoValue,
  isEmptyMap,
  mapGet,
  mapOf,
  STRING,
  stringMapOf,
} from '@capstan/lib-gotemplate';
import { toYaml } from '@capstan/lib-yaml';
import type { HelmFlavor } from './capabilities.ts';
import { plainValue } from './plain-value.ts';
import { isTable } from './values.ts';

/** Makes `.Values`, and whatever else the original holds as its type Values: a map with methods. */
export function valuesObjects(flavor: HelmFlavor): (table: GoMap['data']) => GoMap {
  const make = (table: GoMap['data']): GoMap => new GoMap(type, table);
  const type: GoType = {
    ...mapOf(STRING, ANY),
    text: flavor === 4 ? 'common.Values' : 'chartutil.Values',
    named: true,
    methods: new Map(
      methods(make).map(([name, params, results, call]) => [
        name,
        (receiver: GoValue) =>
          new GoFunc({ params, results }, (context, args) => call(context, [receiver, ...args])),
      ]),
    ),
  };
  return make;
}

type Method = readonly [
  name: string,
  params: readonly GoType[],
  results: string,
  call: GoImplementation,
];

/** Encode is left out: no template has a writer to give it. */
function methods(make: (table: GoMap['data']) => GoMap): readonly Method[] {
  const tableOf = (values: GoValue): GoMap['data'] => stringMapOf(values) ?? {};
  const step = (values: GoMap['data'], name: string): GoMap['data'] => {
    const found = mapGet(values, name);
    const inner = found instanceof GoMap || isTable(found) ? stringMapOf(found) : undefined;
    if (inner === undefined) throw new GoError(`${JSON.stringify(name)} is not a table`);
    return inner;
  };
  const path = (values: GoValue, names: readonly string[]): GoMap['data'] =>
    names.reduce(step, tableOf(values));
  return [
    ['AsMap', [], DICT.text, (_, [values]) => asMap(values)],
    ['YAML', [], '(string, error)', (_, [values]) => toYaml(plainValue(values))],
    [
      'Table',
      [STRING],
      '(common.Values, error)',
      (_, [values, name]) => make(path(values, String(name).split('.'))),
    ],
    [
      'PathValue',
      [STRING],
      '(interface {}, error)',
      (_, [values, name]) => pathValue(String(name), (names) => path(values, names)),
    ],
  ];
}

function asMap(values: GoValue): GoValue {
  const table = stringMapOf(values);
  return table === undefined || isEmptyMap(table) ? {} : table;
}

function pathValue(text: string, tableAt: (names: readonly string[]) => GoMap['data']): GoValue {
  if (text === '') throw new GoError('YAML path cannot be empty');
  const names = text.split('.');
  const key = names.at(-1) ?? '';
  const none = new GoError(`${JSON.stringify(key)} is not a value`);
  let table: GoMap['data'];
  try {
    table = tableAt(names.slice(0, -1));
  } catch {
    throw none;
  }
  const found = mapGet(table, key);
  if (found === undefined || isTable(found)) throw none;
  return found;
}
