/** `template --validate` and `--dry-run=server` on a real control plane and on the sandbox, beside both official helms. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect, type KubeClient, loadKubeconfig } from '@capstan/kube-client';
import { startSandbox } from '@capstan/kube-sandbox';
import { parseYaml } from '@capstan/lib-yaml';
import { startCluster, whyNoCluster } from '../cluster/cluster.ts';
import { officialProgram, whyNotOfficial } from '../tools/official.ts';
import { type Result, runOurs, runProgram } from './commands.ts';

const VERSIONS = { '4': '4.3.1', '3': '3.22.0' } as const;
type Flavor = keyof typeof VERSIONS;

const chart = (name: string): string => `apiVersion: v2\nname: ${name}\nversion: 1.0.0\n`;

const FILES: Readonly<Record<string, string>> = {
  'asks/Chart.yaml': chart('asks'),
  'asks/templates/a.yaml': `apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-asks}
data:
  version: {{ .Capabilities.KubeVersion | toString | quote }}
  full: {{ .Capabilities.KubeVersion | toJson | quote }}
  helm: {{ .Capabilities.HelmVersion | toJson | quote }}
  apis: {{ .Capabilities.APIVersions | sortAlpha | join " " | quote }}
  thing: {{ .Capabilities.APIVersions.Has "example.com/v1/Thing" }}
  given: {{ .Capabilities.APIVersions.Has "given.example.com/v1" }}
  release: {{ .Release | toJson | quote }}
`,
  'asks/templates/lookup.yaml': `apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-lookup}
data:
  {{- $live := lookup "v1" "ConfigMap" .Release.Namespace "live" }}
  one: {{ $live.data | toJson | quote }}
  kind: {{ kindOf $live }} {{ typeOf $live }} {{ $live.kind }} {{ $live.apiVersion }}
  labels: {{ dig "metadata" "labels" "none" $live | toYaml | quote }}
  missing: {{ lookup "v1" "ConfigMap" .Release.Namespace "absent" | toJson | quote }}
  unknown: {{ lookup "v1" "Nothing" "" "" | toJson | quote }} {{ lookup "apps/v1" "Nothing" "a" "b" | toJson | quote }}
  list: {{ range (lookup "v1" "ConfigMap" .Release.Namespace "").items }}{{ .metadata.name }},{{ end }}
  listed: {{ (lookup "v1" "ConfigMap" .Release.Namespace "").kind }}
  namespace: {{ (lookup "v1" "Namespace" "" .Release.Namespace).metadata.name }}
  number: {{ (lookup "example.com/v1" "Thing" .Release.Namespace "live").spec | toJson | quote }}
  again: {{ (lookup "v1" "ConfigMap" .Release.Namespace (get ($live.data | default dict) "next" | default "none")).data | toJson | quote }}
`,
  'asks/templates/hook.yaml': `apiVersion: v1
kind: Pod
metadata:
  name: hook
  annotations: {helm.sh/hook: pre-install}
`,
  'asks/crds/crd.yaml': 'kind: CustomResourceDefinition\n',
  'asking/Chart.yaml': chart('asking'),
  'asking/templates/a.yaml': 'a: {{ lookup "nowhere.example.com/v1" "Nothing" "" "" }}\n',
  'secret/Chart.yaml': chart('secret'),
  'secret/templates/a.yaml': 'a: {{ lookup "v1" "Secret" "kube-system" "keys" }}\n',
  'strange/Chart.yaml': chart('strange'),
  'strange/templates/a.yaml': `apiVersion: nowhere.example.com/v1
kind: Nothing
metadata: {name: strange}
---
apiVersion: nowhere.example.com/v1
kind: Nobody
metadata: {name: other, namespace: elsewhere}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: fine}
`,
  'stranger/Chart.yaml': chart('stranger'),
  'stranger/templates/a.yaml': `apiVersion: v1
kind: Nothing
metadata: {name: stranger}
`,
  'custom/Chart.yaml': chart('custom'),
  'custom/templates/a.yaml': `apiVersion: example.com/v1
kind: Thing
metadata: {name: {{ .Release.Name }}}
spec: {size: 1}
---
apiVersion: v1
kind: Namespace
metadata: {name: {{ .Release.Name }}-space}
`,
  'taken/Chart.yaml': chart('taken'),
  'taken/templates/a.yaml': `apiVersion: v1
kind: ConfigMap
metadata: {name: live}
`,
  'old/Chart.yaml': `${chart('old')}kubeVersion: "<1.20"\n`,
  'old/templates/a.yaml': 'a: b\n',
  'kindless/Chart.yaml': chart('kindless'),
  'kindless/templates/a.yaml': 'apiVersion: v1\nmetadata: {name: a}\n',
  'versionless/Chart.yaml': chart('versionless'),
  'versionless/templates/a.yaml': 'kind: ConfigMap\nmetadata: {name: a}\n',
  'nameless/Chart.yaml': chart('nameless'),
  'nameless/templates/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n',
  'wrong/Chart.yaml': chart('wrong'),
  'wrong/templates/a.yaml':
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: wrong}\nnothing: 1\ndata: {a: 1}\n',
  'empty/Chart.yaml': chart('empty'),
  'empty/templates/a.yaml': '# nothing\n',
  'list/Chart.yaml': chart('list'),
  'list/templates/a.yaml': `apiVersion: v1
kind: List
items:
  - {apiVersion: v1, kind: ConfigMap, metadata: {name: in-list}}
  - {apiVersion: nowhere.example.com/v1, kind: Nothing, metadata: {name: in-list}}
`,
};

const MODES = [['--validate'], ['--dry-run=server'], ['--dry-run=client'], ['--dry-run=none']];

const COMMANDS: readonly (readonly string[])[] = [
  ...MODES.map((mode) => ['template', 'rel', 'asks', ...mode]),
  ['template', 'asks', '--dry-run=server', '--include-crds', '--skip-tests'],
  ['template', 'rel', 'asks', '--validate', '--is-upgrade', '--kube-version', '1.22'],
  ['template', 'rel', 'asks', '--dry-run=server', '-a', 'given.example.com/v1', '--no-hooks'],
  ['template', 'rel', 'asks', '--dry-run=server', '-s', 'templates/lookup.yaml'],
  ['template', 'rel', 'custom', '--validate'],
  ...['strange', 'taken'].flatMap((name) =>
    MODES.slice(0, 2).map((mode) => ['template', 'rel', name, ...mode]),
  ),
  ...['asking', 'stranger', 'old', 'kindless', 'versionless', 'nameless'].map((name) => [
    'template',
    'rel',
    name,
    '--validate',
  ]),
  ...['wrong', 'empty', 'list'].map((name) => ['template', 'rel', name, '--validate']),
  ['template', 'rel', 'asking', '--dry-run=server'],
  ['template', 'rel', 'asks', '--validate', '--dry-run=server'],
  ['template', 'rel', 'asks', '--dry-run'],
  ['template', 'rel', 'asks', '--dry-run=maybe'],
  ['template', 'rel', 'taken', '--validate', '--is-upgrade'],
  ['template', 'rel', 'taken', '--validate', '--take-ownership'],
];

const CRD = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'things.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        },
      },
    ],
  },
};

const NAMESPACE = 'templates';

async function furnish(client: KubeClient): Promise<void> {
  const options = { fieldManager: 'test' };
  await client.apply(
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
    options,
  );
  await client.apply(CRD, options);
  const metadata = { name: 'live', namespace: NAMESPACE };
  await client.apply(
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { ...metadata, labels: { app: 'live' } },
      data: { a: '1', next: 'live' },
    },
    options,
  );
  for (let attempt = 0; ; attempt++) {
    try {
      const spec = { size: 3, ratio: 0.5, list: [1, 'x', null] };
      await client.apply({ apiVersion: 'example.com/v1', kind: 'Thing', metadata, spec }, options);
      return;
    } catch (error) {
      if (attempt > 50) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

interface Place {
  readonly kubeconfig: string;
  readonly stop: () => Promise<void>;
}

const PLACES: Readonly<Record<string, () => Promise<Place>>> = {
  'a real control plane': async () => {
    const cluster = await startCluster();
    return { kubeconfig: cluster.kubeconfig, stop: () => cluster.stop() };
  },
  'the sandbox': async () => {
    const sandbox = await startSandbox();
    return { kubeconfig: sandbox.kubeconfigPath, stop: () => sandbox.close() };
  },
};

const skip = whyNoCluster() || whyNotOfficial('helm', '4.3.1') || whyNotOfficial('helm', '3.22.0');

for (const [name, start] of Object.entries(PLACES)) {
  describe(`templates rendered for ${name}`, { skip }, () => {
    let place: Place;
    let folder: string;

    before(async () => {
      folder = mkdtempSync(join(tmpdir(), 'helm-cluster-'));
      for (const [file, text] of Object.entries(FILES)) {
        mkdirSync(dirname(join(folder, file)), { recursive: true });
        writeFileSync(join(folder, file), text);
      }
      place = await start();
      const client = connect(await loadKubeconfig({ file: place.kubeconfig }));
      await furnish(client).finally(() => client.close());
    });

    after(async () => {
      await place?.stop();
      if (folder !== undefined) rmSync(folder, { recursive: true });
    });

    const text = ({ code, out, err }: Result): string => `${out}${err}\n[exit ${code}]\n`;

    for (const flavor of ['4', '3'] as const satisfies readonly Flavor[]) {
      test(`helm ${flavor}: what the identity may not read is no answer but an error (row 14)`, async () => {
        const config = parseYaml(readFileSync(place.kubeconfig, 'utf8'));
        const poor = JSON.stringify(config, (key, value: unknown) =>
          key === 'user' && typeof value === 'object' && value !== null
            ? { ...value, as: `system:serviceaccount:${NAMESPACE}:poor` }
            : value,
        );
        const kubeconfig = join(folder, 'poor.json');
        writeFileSync(kubeconfig, poor);
        const args = ['template', 'rel', 'secret', '--validate', '--dry-run=server'];
        const shown = flavor === '4' ? args.filter((arg) => arg !== '--validate') : args;
        const theirs = await runProgram(
          officialProgram('helm', VERSIONS[flavor]),
          [...shown, '-n', NAMESPACE, '--kubeconfig', kubeconfig],
          folder,
        );
        const ours = await runOurs(
          [...shown, '-n', NAMESPACE, '--kubeconfig', kubeconfig, '--helm-version', flavor],
          folder,
        );
        assert.match(ours.err, /error calling lookup: secrets "keys" is forbidden/);
        assert.equal(text(ours), text(theirs));
      });
    }

    for (const flavor of ['4', '3'] as const satisfies readonly Flavor[]) {
      for (const command of COMMANDS) {
        test(`helm ${flavor}: ${command.join(' ')}`, async () => {
          const args = [...command, '-n', NAMESPACE, '--kubeconfig', place.kubeconfig];
          const helm = officialProgram('helm', VERSIONS[flavor]);
          const theirs = await runProgram(helm, args, folder);
          const ours = await runOurs([...args, '--helm-version', flavor], folder);
          assert.equal(text(ours), text(theirs));
        });
      }
    }
  });
}

describe('templates rendered for a cluster that does not answer', { skip }, () => {
  for (const flavor of ['4', '3'] as const satisfies readonly Flavor[]) {
    test(`helm ${flavor} and we end in an error that says so`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'helm-cluster-'));
      try {
        const server = 'http://127.0.0.1:1';
        const kubeconfig = `apiVersion: v1
kind: Config
current-context: c
contexts: [{name: c, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: "${server}"}}]
users: [{name: u, user: {}}]
`;
        writeFileSync(join(folder, 'config'), kubeconfig);
        mkdirSync(join(folder, 'c', 'templates'), { recursive: true });
        writeFileSync(join(folder, 'c', 'Chart.yaml'), chart('c'));
        const args = ['template', 'rel', 'c', '--validate', '--kubeconfig', 'config'];
        const helm = officialProgram('helm', VERSIONS[flavor]);
        const theirs = await runProgram(helm, args, folder);
        const ours = await runOurs([...args, '--helm-version', flavor], folder);
        const head = ({ code, err }: Result): string =>
          `${code} ${err.replace(/unreachable:.*/s, '')}`;
        assert.equal(head(ours), head(theirs));
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  }
});
