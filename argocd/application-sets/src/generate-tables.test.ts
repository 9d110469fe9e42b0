/** What generators, templates and patches give: one row for each rule. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json, JsonObject } from '@capstan/kube-object';
import { generateTexts, type World } from './testing/generate.ts';

const list = (...elements: JsonObject[]): JsonObject => ({ list: { elements } });

const CLUSTERS: World = {
  clusters: [
    {
      name: 'Prod_EU',
      server: 'https://prod',
      project: 'p',
      labels: { env: 'prod' },
      annotations: { zone: 'b' },
    },
    { name: 'dev', server: 'https://dev', project: '', labels: {}, annotations: {} },
  ],
};

/** Annotated by Argo CD and kubectl alone. */
const TOUCHED: World = {
  clusters: [
    {
      name: 'dev',
      server: 'https://kubernetes.default.svc',
      project: '',
      labels: {},
      annotations: {
        'argocd.argoproj.io/refresh': '2024-05-06T07:08:09Z',
        'kubectl.kubernetes.io/last-applied-configuration': '{"data":{"config":"secret"}}',
      },
    },
  ],
};

const REPOSITORY: World = {
  files: {
    'apps/one/a.yaml': 'x: 1\n',
    'apps/two/a.yaml': 'x: 2\n',
    'apps/two/deep/b.json': '[{"key": {"v": [1, "b"]}, "big": 1000000, "no": null}]',
    '.hidden/c/a.yaml': 'x: 3\n',
    'apps/empty.yaml': '',
    'bad.yaml': 'just text',
    link: { link: '../../etc/passwd' },
  },
};

const git = (fields: JsonObject): JsonObject => ({
  git: { repoURL: 'https://git.example.com/a.git', revision: 'main', ...fields },
});

const oci = (fields: JsonObject): JsonObject => ({
  oci: { repoURL: 'oci://registry.example.com/a', revision: '1.0.0', ...fields },
});

interface Case {
  readonly title: string;
  readonly generators: readonly JsonObject[];
  readonly text: string;
  readonly gives: readonly string[] | RegExp;
  readonly goTemplate?: boolean;
  readonly options?: readonly string[];
  readonly world?: World;
}

const CASES: readonly Case[] = [
  {
    title: 'a tag with spaces',
    generators: [list({ a: 'x' })],
    text: '{{ a }}-{{a}}',
    gives: ['x-x'],
  },
  {
    title: 'an unknown tag stays',
    generators: [list({ a: 'x' })],
    text: '{{b}} {{ }}',
    gives: ['{{b}} {{ }}'],
  },
  {
    title: 'what a parameter holds is not rendered again',
    generators: [list({ a: '{{b}}', b: 'y' })],
    text: '{{a}}',
    gives: ['{{b}}'],
  },
  {
    title: 'names of what objects inherit are no parameters',
    generators: [list({ a: 'x' })],
    text: '{{constructor}} {{__proto__}}',
    gives: ['{{constructor}} {{__proto__}}'],
  },
  { title: 'no tag at all', generators: [list({ a: 'x' })], text: '}} {{', gives: ['}} {{'] },
  {
    title: 'an open tag beside a closed one',
    generators: [list({ a: 'x' })],
    text: '{{a}} {{b',
    gives: /Cannot find end tag="}}"/,
  },
  {
    title: 'values of list elements',
    generators: [list({ a: 'x', values: { k: 'v' } })],
    text: '{{values.k}}',
    gives: ['v'],
  },
  {
    title: 'a number in a list without Go templates',
    generators: [list({ a: 3 })],
    text: '',
    gives: /error parsing value as string: list\.elements\[0\]\.a/,
  },
  {
    title: 'typed elements',
    goTemplate: true,
    generators: [list({ a: { b: [1, 2.5, 1e21] } })],
    text: '{{ range .a.b }}{{ . }} {{ end }}',
    gives: ['1 2.5 1e+21 '],
  },
  {
    title: 'elements as YAML text',
    goTemplate: true,
    generators: [{ list: { elements: [], elementsYaml: '- a: x\n- a: z\n' } }],
    text: '{{.a}}',
    gives: ['x', 'z'],
  },
  {
    title: 'a key that is missing',
    goTemplate: true,
    generators: [list({ a: 'x' })],
    text: '{{.b}}',
    gives: ['<no value>'],
  },
  {
    title: 'a key that is missing, as an error',
    goTemplate: true,
    options: ['missingkey=error'],
    generators: [list({ a: 'x' })],
    text: '{{.b}}',
    gives:
      /failed to execute go template \{\{\.b\}\}: template: base:1:2: executing "base" at <\.b>: map has no entry for key "b"/,
  },
  {
    title: 'an unknown option',
    goTemplate: true,
    options: ['missingkey=oops'],
    generators: [list({ a: 'x' })],
    text: '',
    gives: /unrecognized option: missingkey=oops/,
  },
  {
    title: 'an unknown function',
    goTemplate: true,
    generators: [list({ a: 'x' })],
    text: '{{ env "HOME" }}',
    gives: /failed to parse template .*function "env" not defined/,
  },
  {
    title: 'own functions',
    goTemplate: true,
    generators: [list({ a: 'Feat/X_y' })],
    text: '{{ normalize .a }} {{ slugify 6 true .a }} {{ toYaml . }} {{ (fromYaml "k: v").k }} {{ index (fromYamlArray "[q]") 0 }}',
    gives: ['feat-x-y feat-x a: Feat/X_y v q'],
  },
  {
    title: 'slugs',
    goTemplate: true,
    generators: [list({ a: 'feat/areallylongname_of_a_branch' })],
    text: '{{ slugify 10 true .a }}|{{ slugify 10 false .a }}|{{ slugify 5 false .a }}',
    gives: ['feat|feat-areal|feat'],
  },

  {
    title: 'clusters by name, the own one last',
    world: CLUSTERS,
    generators: [{ clusters: {} }],
    text: '{{name}} {{nameNormalized}} {{server}} {{project}} {{metadata.labels.env}} {{metadata.annotations.zone}}',
    gives: [
      'Prod_EU prod-eu https://prod p prod b',
      'dev dev https://dev  {{metadata.labels.env}} {{metadata.annotations.zone}}',
      'in-cluster in-cluster https://kubernetes.default.svc  {{metadata.labels.env}} {{metadata.annotations.zone}}',
    ],
  },
  {
    title: 'a selector leaves the own cluster out',
    world: CLUSTERS,
    generators: [{ clusters: { selector: { matchLabels: { env: 'prod' } } } }],
    text: '{{name}}',
    gives: ['Prod_EU'],
  },
  {
    title: 'cluster values see parameters, not each other',
    world: CLUSTERS,
    generators: [
      {
        clusters: {
          selector: { matchExpressions: [{ key: 'env', operator: 'Exists' }] },
          values: { a: '{{name}}!', b: '{{values.a}}' },
        },
      },
    ],
    text: '{{values.a}} {{values.b}}',
    gives: ['Prod_EU! {{values.a}}'],
  },
  {
    title: 'clusters for Go templates',
    goTemplate: true,
    options: ['missingkey=error'],
    world: CLUSTERS,
    generators: [
      { clusters: { selector: { matchLabels: { env: 'prod' } }, values: { a: '{{.name}}!' } } },
    ],
    text: '{{.metadata.labels.env}} {{.metadata.annotations.zone}} {{.values.a}}',
    gives: ['prod b Prod_EU!'],
  },
  {
    title: 'what is written to the Secret of a cluster for itself is not told to Go templates',
    goTemplate: true,
    world: TOUCHED,
    generators: [{ clusters: {} }],
    text: '{{toJson .metadata}}',
    gives: ['{"annotations":{}}'],
  },
  {
    title: 'what is written to the Secret of a cluster for itself is no parameter',
    world: TOUCHED,
    generators: [{ clusters: {} }],
    text: '{{metadata.annotations.argocd.argoproj.io/refresh}}',
    gives: ['{{metadata.annotations.argocd.argoproj.io/refresh}}'],
  },
  {
    title: 'clusters as one list',
    goTemplate: true,
    world: CLUSTERS,
    generators: [{ clusters: { flatList: true } }],
    text: '{{ range .clusters }}{{ .name }},{{ end }}',
    gives: ['Prod_EU,dev,in-cluster,'],
  },

  {
    title: 'folders',
    world: REPOSITORY,
    generators: [git({ directories: [{ path: 'apps/*' }] })],
    text: '{{path}} {{path.basename}} {{path[0]}} {{path[1]}}',
    gives: ['apps/one one apps one', 'apps/two two apps two'],
  },
  {
    title: 'folders at any depth but one',
    world: REPOSITORY,
    generators: [
      git({
        directories: [{ path: '*' }, { path: 'apps/**' }, { path: 'apps/one', exclude: true }],
      }),
    ],
    text: '{{path}}',
    gives: ['apps', 'apps/two'],
  },
  {
    title: 'folders for Go templates, with a prefix and values',
    goTemplate: true,
    world: REPOSITORY,
    generators: [
      git({
        directories: [{ path: 'apps/o[^x]e' }],
        pathParamPrefix: 'my',
        values: { v: '{{ .my.path.basename }}' },
      }),
    ],
    text: '{{.my.path.path}} {{index .my.path.segments 1}} {{.values.v}} {{.values.none}}',
    gives: ['apps/one one one <no value>'],
  },
  {
    title: 'files',
    world: REPOSITORY,
    generators: [git({ files: [{ path: 'apps/**/*.yaml' }] })],
    text: '{{x}} {{path}} {{path.filename}} {{path.filenameNormalized}}',
    gives: ['1 apps/one a.yaml a.yaml', '2 apps/two a.yaml a.yaml'],
  },
  {
    title: 'files in a list, flattened',
    world: REPOSITORY,
    generators: [git({ files: [{ path: 'apps/two/deep/b.json' }] })],
    text: '{{key.v.0}} {{key.v.1}} {{big}} {{no}} {{path.basename}}',
    gives: ['1 b 1e+06 <nil> deep'],
  },
  {
    title: 'files below a folder, but some',
    world: REPOSITORY,
    generators: [git({ files: [{ path: 'apps' }, { path: '**/a.yaml', exclude: true }] })],
    text: '{{path.filename}}',
    gives: ['empty.yaml', 'b.json'],
  },
  {
    title: 'files for Go templates',
    goTemplate: true,
    world: REPOSITORY,
    generators: [git({ files: [{ path: 'apps/two/deep/b.json' }] })],
    text: '{{ index .key.v 0 }} {{ .big | int }} {{ .path.filename }}',
    gives: ['1 1000000 b.json'],
  },
  {
    title: 'a file of plain text',
    world: REPOSITORY,
    generators: [git({ files: [{ path: 'bad.yaml' }] })],
    text: '',
    gives:
      /^error generating params from git: unable to process file 'bad.yaml' from repository 'https:\/\/git\.example\.com\/a\.git': unable to parse file: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal string into Go value of type \[\]map\[string\]interface \{\}$/,
  },
  {
    title: 'a link out of the repository',
    world: REPOSITORY,
    generators: [git({ files: [{ path: 'link' }] })],
    text: '',
    gives: /link is a link to nothing, or out of the repository/,
  },
  {
    title: 'a project that does not exist',
    world: { ...REPOSITORY, projects: [] },
    generators: [git({ directories: [{ path: '*' }] })],
    text: '',
    gives: /error getting project default: appprojects\.argoproj\.io "default" not found/,
  },
  {
    title: 'folders of an artifact, whose project need not be there yet',
    world: { ...REPOSITORY, projects: [] },
    generators: [oci({ directories: [{ path: 'apps/*' }], values: { where: 'in {{path}}' } })],
    text: '{{path.basename}} {{values.where}}',
    gives: ['one in apps/one', 'two in apps/two'],
  },
  {
    title: 'files of an artifact by globs that span folders',
    world: { files: { 'a/b/c.yaml': 'at: deep', 'a/d.yaml': 'at: near', 'e.yaml': 'at: top' } },
    generators: [oci({ files: [{ path: 'a/**/*.yaml' }, { path: '**/d.yaml', exclude: true }] })],
    text: '{{path}} {{at}}',
    gives: ['a/b deep'],
  },
  {
    title: 'files by globs whose star stays within a name, when the administrator wants that',
    world: { files: { 'a/b/c.yaml': 'at: deep', 'a/d.yaml': 'at: near' }, spansFolders: true },
    generators: [git({ files: [{ path: 'a/*.yaml' }] })],
    text: '{{at}}',
    gives: ['near'],
  },
  {
    title: 'an artifact without paths',
    generators: [oci({})],
    text: '',
    gives: /ApplicationSet is empty/,
  },
  {
    title: 'a selector over parameters',
    generators: [
      { ...list({ a: 'https://x' }, { a: 'y' }), selector: { matchLabels: { a: 'https://x' } } },
    ],
    text: '{{a}}',
    gives: ['https://x'],
  },
  {
    title: 'a selector over nested parameters',
    goTemplate: true,
    world: CLUSTERS,
    generators: [
      {
        clusters: {},
        selector: {
          matchExpressions: [{ key: 'metadata.labels.env', operator: 'NotIn', values: ['prod'] }],
        },
      },
    ],
    text: '{{.name}}',
    gives: ['dev', 'in-cluster'],
  },
  {
    title: 'a selector of no sense',
    generators: [
      { ...list({ a: 'x' }), selector: { matchExpressions: [{ key: 'a', operator: 'Near' }] } },
    ],
    text: '',
    gives: /error parsing label selector: "Near" is not a valid pod selector operator/,
  },

  {
    title: 'a matrix',
    generators: [
      { matrix: { generators: [list({ a: '1' }, { a: '2' }), list({ b: 'x' }, { b: 'y' })] } },
    ],
    text: '{{a}}{{b}}',
    gives: ['1x', '1y', '2x', '2y'],
  },
  {
    title: 'a matrix whose second generator asks the first',
    world: REPOSITORY,
    generators: [
      {
        matrix: {
          generators: [
            list({ folder: 'apps/one' }),
            git({
              directories: [{ path: '{{folder}}' }],
              values: { from: '{{folder}}', own: '{{path.basename}}' },
            }),
          ],
        },
      },
    ],
    text: '{{path}} {{values.from}} {{values.own}}',
    gives: ['apps/one apps/one one'],
  },
  {
    title: 'the same for Go templates',
    goTemplate: true,
    options: ['missingkey=error'],
    world: REPOSITORY,
    generators: [
      {
        matrix: {
          generators: [
            list({ folder: 'apps/one' }),
            git({
              directories: [{ path: '{{.folder}}' }],
              values: { from: '{{.folder}}', own: '{{.path.basename}}' },
            }),
          ],
        },
      },
    ],
    text: '{{.path.path}} {{.values.from}} {{.values.own}}',
    gives: ['apps/one apps/one one'],
  },
  {
    title: 'a matrix of the same parameter with two values',
    generators: [{ matrix: { generators: [list({ a: '1' }), list({ a: '2' })] } }],
    text: '',
    gives: /found duplicate key a with different value, a: 1 ,b: 2/,
  },
  {
    title: 'the first generator wins with Go templates',
    goTemplate: true,
    generators: [
      {
        matrix: { generators: [list({ a: { x: '1', y: '1' } }), list({ a: { x: '2', z: '2' } })] },
      },
    ],
    text: '{{.a.x}}{{.a.y}}{{.a.z}}',
    gives: ['112'],
  },
  {
    title: 'a matrix of one',
    generators: [{ matrix: { generators: [list({ a: '1' })] } }],
    text: '',
    gives: /found less than two generators, Matrix support only two/,
  },
  {
    title: 'a matrix of three',
    generators: [
      { matrix: { generators: [list({ a: '1' }), list({ b: '1' }), list({ c: '1' })] } },
    ],
    text: '',
    gives: /found more than two generators, Matrix support only two/,
  },
  {
    title: 'a selector within a matrix',
    generators: [
      {
        matrix: {
          generators: [
            { ...list({ a: '1' }, { a: '2' }), selector: { matchLabels: { a: '2' } } },
            list({ b: 'x' }),
          ],
        },
      },
    ],
    text: '{{a}}{{b}}',
    gives: ['2x'],
  },
  {
    title: 'a matrix of a matrix and a merge',
    generators: [
      {
        matrix: {
          generators: [
            { matrix: { generators: [list({ a: '1' }), list({ b: '2' })] } },
            {
              merge: { mergeKeys: ['c'], generators: [list({ c: '3' }), list({ c: '3', d: '4' })] },
            },
          ],
        },
      },
    ],
    text: '{{a}}{{b}}{{c}}{{d}}',
    gives: ['1234'],
  },

  {
    title: 'a merge',
    generators: [
      {
        merge: {
          mergeKeys: ['k'],
          generators: [
            list({ k: '1', v: 'base' }, { k: '2', v: 'base' }),
            list({ k: '2', v: 'over' }, { k: '9', v: 'none' }),
          ],
        },
      },
    ],
    text: '{{k}} {{v}}',
    gives: ['1 base', '2 over'],
  },
  {
    title: 'a merge of nested parameters',
    goTemplate: true,
    generators: [
      {
        merge: {
          mergeKeys: ['k'],
          generators: [
            list({ k: '1', v: { a: 'base', b: 'base' } }),
            list({ k: '1', v: { b: 'over' } }),
          ],
        },
      },
    ],
    text: '{{.v.a}} {{.v.b}}',
    gives: ['base over'],
  },
  {
    title: 'a merge by keys that do not tell apart',
    generators: [
      {
        merge: {
          mergeKeys: ['k'],
          generators: [list({ k: '1', v: 'a' }, { k: '1', v: 'b' }), list({ k: '2' })],
        },
      },
    ],
    text: '',
    gives: /Merge requires all param sets to be unique\. Duplicate key was \{"k":"1"\}/,
  },
  {
    title: 'a merge without keys',
    generators: [{ merge: { mergeKeys: [], generators: [list({ k: '1' }), list({ k: '2' })] } }],
    text: '',
    gives: /no merge keys were specified, Merge requires at least one/,
  },
  {
    title: 'a merge of one',
    generators: [{ merge: { mergeKeys: ['k'], generators: [list({ k: '1' })] } }],
    text: '',
    gives: /found less than two generators, Merge requires two or more/,
  },
  {
    title: 'generators that ask services say what they need',
    generators: [{ plugin: { configMapRef: { name: 'p' } } }],
    text: '',
    gives: /services cannot be asked from here/,
  },
];

for (const { title, generators, text, gives, goTemplate, options, world } of CASES) {
  test(`generates: ${title}`, async () => {
    const found = await generateTexts(text, {
      generators: generators as Json,
      ...(goTemplate === undefined ? {} : { goTemplate }),
      ...(options === undefined ? {} : { goTemplateOptions: options }),
      ...(world === undefined ? {} : { world }),
    });
    if (gives instanceof RegExp) {
      assert.equal(typeof found, 'string', `expected an error, got ${JSON.stringify(found)}`);
      assert.match(String(found), gives);
    } else assert.deepEqual(found, gives);
  });
}
