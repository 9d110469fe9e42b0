/**
 * Random charts that use what charts use: values of every shape, subcharts with conditions, tags, aliases and import-values,
 * globals, nulls, helpers that override each other, tpl, hooks, files, capabilities, schemas. Most of them render.
 */
import type { Choice } from '../tools/choice.ts';
import { randomTemplates } from './random-template.ts';
import { randomValues, toYamlText } from './random-values.ts';

export interface RandomChart {
  readonly files: ReadonlyMap<string, string>;
  /** Command lines of `helm`, without the program. */
  readonly commands: readonly (readonly string[])[];
}

export type Flavor = '3' | '4';

/** A chart with its subcharts, a values file beside it, and what helm is asked to do with them. */
export function randomChart(choice: Choice, flavor: Flavor): RandomChart {
  const files = chartFiles(choice, { name: 'app', depth: 2, flavor });
  files.set('given.yaml', toYamlText(choice, randomValues(choice)));
  files.set('more.yaml', toYamlText(choice, randomValues(choice)));
  const commands = [['template', ...templateArguments(choice)]];
  if (choice.chance(30)) {
    commands.push([
      'lint',
      '.',
      '-n',
      'default',
      ...valueFlags(choice),
      ...(choice.chance(30) ? ['--strict'] : []),
    ]);
  }
  if (choice.chance(15)) commands.push(['show', choice.of(['chart', 'values', 'all']), '.']);
  if (choice.chance(15)) commands.push(['dependency', 'list', '.']);
  return { files, commands };
}

function templateArguments(choice: Choice): string[] {
  // Always told: the warm process keeps the last one that it heard.
  const namespace = ['-n', choice.chance(10) ? 'other' : 'default'];
  const name = choice.chance(5) ? ['.', '--name-template', '{{ "REL" | lower }}-x'] : ['rel', '.'];
  const flags: [string, ...string[]][] = [
    ['--include-crds'],
    ['--no-hooks'],
    ['--skip-tests'],
    ['--is-upgrade'],
    ['--kube-version', choice.of(['1.20', 'v1.29.3', '1.33.0-gke.100'])],
    ['-a', 'monitoring.coreos.com/v1,example.com/v1/Thing'],
    ['-s', choice.of(['templates/a.yaml', 'templates/sub/b.yaml', 'charts/one/templates/a.yaml'])],
    ['--skip-schema-validation'],
  ];
  return [
    ...name,
    ...namespace,
    ...valueFlags(choice),
    ...flags.filter(() => choice.chance(7)).flat(),
  ];
}

const SETS: [string, ...string[]] = [
  'name=set',
  'count=7',
  'list[0]=x',
  'list={p,q,1}',
  'map.a=null',
  'map=null',
  'one=null',
  'global.a=1e3',
  'one.enabled=false,two.enabled=true',
  'one.name=fromset',
  'tags.front=false',
  'text={{ .Release.Name }}',
  'a.b.c=1,a.b.d=0777',
  'quoted=a\\,b\\.c',
  'objects[1].name=z',
  'map.deep\\.key=1',
];

function valueFlags(choice: Choice): string[] {
  const flags: string[] = [];
  if (choice.chance(80)) flags.push('-f', 'given.yaml');
  if (choice.chance(25)) flags.push('-f', 'more.yaml');
  while (choice.chance(25)) {
    flags.push(choice.of(['--set', '--set', '--set-string', '--set-literal']), choice.of(SETS));
  }
  if (choice.chance(8))
    flags.push('--set-json', choice.of(['map={"x":[1,2.5,null]}', 'count=null']));
  if (choice.chance(5))
    flags.push('--set-file', choice.chance(80) ? 'name=given.yaml' : 'name=absent');
  return flags;
}

interface ChartPlan {
  readonly name: string;
  readonly depth: number;
  readonly flavor: Flavor;
}

function chartFiles(choice: Choice, { name, depth, flavor }: ChartPlan): Map<string, string> {
  const files = new Map<string, string>();
  const children = depth === 0 ? [] : ['one', 'two'].filter(() => choice.chance(60));
  const dependencies = children.flatMap((child) =>
    choice.chance(80) ? [randomDependency(choice, child)] : [],
  );
  const [first] = dependencies;
  // Helm 3 mixes up the subcharts of a chart that is there under two names (docs/differences/helm.md).
  if (first !== undefined && choice.chance(20) && (flavor === '4' || depth === 1)) {
    dependencies.push({ ...first, alias: 'second' });
  }
  const isOld = choice.chance(12);
  files.set('Chart.yaml', definition(choice, { name, isOld, dependencies }));
  if (isOld && dependencies.length > 0) {
    files.set('requirements.yaml', JSON.stringify({ dependencies }));
  }
  if (choice.chance(95)) files.set('values.yaml', toYamlText(choice, randomValues(choice)));
  if (choice.chance(4)) files.set('values.schema.json', JSON.stringify(randomSchema(choice)));
  for (const [path, text] of randomTemplates(choice, name)) files.set(path, text);
  addPlainFiles(choice, files);
  for (const child of children) {
    const below = chartFiles(choice, { name: child, depth: depth - 1, flavor });
    for (const [path, text] of below) files.set(`charts/${child}/${path}`, text);
  }
  return files;
}

function definition(
  choice: Choice,
  of: { readonly name: string; readonly isOld: boolean; readonly dependencies: readonly Row[] },
): string {
  const lines = [
    `apiVersion: ${of.isOld ? 'v1' : 'v2'}`,
    `name: ${of.name}`,
    `version: ${choice.of(['1.0.0', '1.0.0', '1.2.3-rc.1+build.5', 'v1.1', '"1.0"'])}`,
  ];
  const extras = [
    `appVersion: ${choice.of(['1.0', '"1.10"', 'latest', 'v2', '0x10', '1e3', '2020-01-01', 'null'])}`,
    `kubeVersion: "${choice.of(['>=1.20-0', '>=1.20.0', '^1.20.0-0', '~1 || >= 1.99'])}"`,
    'description: "a: b"',
    'deprecated: true',
    'icon: https://example.com/i.png',
    'home: example',
    'keywords: [a, b]',
    'annotations: {"a/b": "1", c: "x\\ny"}',
    'maintainers: [{name: m, email: m@example.com, url: "https://example.com"}]',
    'sources: [https://example.com/x]',
    'unknown: field',
  ];
  lines.push(...extras.filter(() => choice.chance(14)));
  if (!of.isOld && choice.chance(10)) {
    lines.push(`type: ${of.name === 'app' || choice.chance(30) ? 'application' : 'library'}`);
  }
  if (!of.isOld && of.dependencies.length > 0) {
    lines.push(`dependencies: ${JSON.stringify(of.dependencies)}`);
  }
  return `${lines.join('\n')}\n`;
}

type Row = Readonly<Record<string, unknown>>;

function randomDependency(choice: Choice, name: string): Row {
  const row: Record<string, unknown> = { name };
  row['version'] = choice.of(['1.x', '*', '>= 0.1', '>= 0.1-0', '1.0.0', '2.x', '^1']);
  if (choice.chance(15)) row['alias'] = choice.of(['other', 'renamed']);
  if (choice.chance(40)) {
    const at = row['alias'] ?? name;
    row['condition'] = choice.of([
      `${at}.enabled`,
      `flag,${name}.enabled`,
      'global.flag',
      'absent.x',
    ]);
  }
  if (choice.chance(30)) row['tags'] = [choice.of(['front', 'back'])];
  if (choice.chance(10)) row['repository'] = 'https://example.com/charts';
  if (choice.chance(35)) {
    row['import-values'] = choice.some(3, () =>
      choice.of<unknown>([
        'data',
        'absent',
        { child: 'map', parent: 'imported' },
        { child: 'exports.data', parent: '.' },
        { child: 'map.deep', parent: 'map' },
        { child: 'name', parent: 'x' },
      ]),
    );
  }
  return row;
}

function randomSchema(choice: Choice): Row {
  const typed = (): Row =>
    choice.of<Row>([
      { type: 'string' },
      { type: ['string', 'null'], minLength: 2 },
      { type: 'integer', minimum: 2, maximum: 6 },
      { type: 'array', items: { type: ['string', 'number'] }, maxItems: 2, uniqueItems: true },
      { type: 'object', additionalProperties: { type: 'string' } },
      { type: 'object', properties: { a: { enum: ['x', 1] } }, required: ['a', 'b'] },
      { anyOf: [{ type: 'string' }, { const: 3 }] },
      { oneOf: [{ type: 'object' }, { not: { type: 'null' } }] },
      { $ref: '#/definitions/text' },
      { pattern: '^[a-z]+$', format: 'date' },
      JSON.parse('{"if":{"type":"object"},"then":{"minProperties":2},"else":{"type":"string"}}'),
    ]);
  const keys = ['name', 'count', 'list', 'map', 'flag', 'odd', 'global'] as const;
  return {
    ...(choice.chance(60) ? { $schema: 'http://json-schema.org/draft-07/schema#' } : {}),
    ...(choice.chance(60) ? { type: 'object' } : {}),
    definitions: { text: { type: 'string', maxLength: 5 } },
    properties: Object.fromEntries(
      keys.filter(() => choice.chance(25)).map((key) => [key, typed()]),
    ),
    ...(choice.chance(20) ? { required: ['name', 'absent'] } : {}),
  };
}

function addPlainFiles(choice: Choice, files: Map<string, string>): void {
  const plain: [string, string][] = [
    ['f.txt', 'one\ntwo\n\nthree'],
    ['conf/a.yaml', 'k: v\nl: [1, 2]\n'],
    ['conf/b.txt', 'no newline at the end'],
    ['conf/deep/c.json', '{"a": 1.0, "b": [true, null]}'],
    ['README.md', '# Read me\n'],
    ['crds/crd.yaml', '---\nkind: CustomResourceDefinition\nmetadata: {name: a.example.com}\n'],
    ['crds/more.yml', 'kind: CustomResourceDefinition\nmetadata: {name: b}\n---\nkind: Other\n'],
    ['.helmignore', choice.of(['*.txt\n', 'conf/deep\n', '/f.txt\n# note\n\nREADME*\n'])],
    ['templates/NOTES.txt', 'Notes of {{ .Chart.Name }} {{ .Values.name }}\n'],
    ['templates/tests/t.yaml', testHook],
  ];
  for (const [path, text] of plain) if (choice.chance(30)) files.set(path, text);
}

const testHook = `apiVersion: v1
kind: Pod
metadata:
  name: "{{ .Release.Name }}-test"
  annotations:
    "helm.sh/hook": test
`;
