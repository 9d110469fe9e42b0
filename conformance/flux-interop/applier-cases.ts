// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the language that is rendered
/** Kustomizations and HelmReleases, sound and not, which `appliers.ts` gives to Flux's controllers and to ours. */
import type { JsonObject } from '@capstan/kube-object';

export interface ApplierCase {
  readonly kind: 'Kustomization' | 'HelmRelease';
  readonly name: string;
  readonly spec: JsonObject;
  /** Below the folder of the case's name. */
  readonly files?: Readonly<Record<string, string>>;
  /** Merge patches of the spec, one after the other. */
  readonly then?: readonly JsonObject[];
}

type Rows = Readonly<Record<string, readonly [spec: JsonObject, ...then: JsonObject[]]>>;
type Folders = Readonly<Record<string, readonly [files: ApplierCase['files'], spec?: JsonObject]>>;

/** `NAME` stands for the case. */
const config = (data: string, more = ''): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME-a${more}}\ndata: {${data}}\n`;
const annotated = (name: string, value: string): string =>
  `, annotations: {kustomize.toolkit.fluxcd.io/${name}: ${value}}`;
const deployment = (pod = ''): string => `apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME-a}
spec:
  replicas: 1
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec: {${pod}containers: [{name: main, image: "example.com/app:1"}]}
`;
const plain = { 'a.yaml': config('a: b') };
const of = (text: string) => ({ 'a.yaml': text });
const judged = (current: string) => ({
  ...{ wait: true, timeout: '5s' },
  healthCheckExprs: [{ apiVersion: 'v1', kind: 'ConfigMap', current, failed: 'data.a == "bad"' }],
});
const dependsOn = (name: string, readyExpr?: string) => ({
  dependsOn: [{ name, ...(readyExpr === undefined ? {} : { readyExpr }) }],
});

const FOLDERS: Folders = {
  plain: [plain],
  empty: [{ 'note.txt': 'x' }],
  'no-match': [of('apiVersion: no.example.com/v1\nkind: No\nmetadata: {name: NAME}\n')],
  invalid: [
    of('apiVersion: v1\nkind: Service\nmetadata: {name: NAME}\nspec: {ports: [{port: 0}]}\n'),
  ],
  'unknown-field': [of(`${config('a: b')}more: {}\n`)],
  'wrong-type': [of(config('a: 1'))],
  'list-of': [
    of(
      'apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: NAME-a}}\n',
    ),
  ],
  substituted: [of(config('a: "${v}-${w:=d}"')), { postBuild: { substitute: { v: 'x' } } }],
  'not-substituted': [of(config('a: "${nope}"')), { postBuild: { substitute: { v: 'x' } } }],
  'bad-variable': [plain, { postBuild: { substitute: { 'a-b': 'x' } } }],
  named: [
    plain,
    { namePrefix: 'NAME-p-', nameSuffix: '-s', commonMetadata: { labels: { t: 'x' } } },
  ],
  patched: [
    plain,
    { patches: [{ patch: '- {op: add, path: /data/c, value: d}', target: { kind: 'ConfigMap' } }] },
  ],
  imaged: [of(deployment()), { images: [{ name: 'example.com/app', newTag: 'v2' }] }],
  'no-component': [plain, { components: ['none'], ignoreMissingComponents: true }],
  awaited: [of(deployment()), { wait: true, timeout: '30s' }],
  judged: [plain, judged('data.a == "b"')],
  'judged-bad': [of(config('a: bad')), judged('data.a == "b"')],
  'if-absent': [of(config('a: b', annotated('ssa', 'IfNotPresent')))],
  unpruned: [of(config('a: b', annotated('prune', 'disabled')))],
  'no-dependency': [plain, dependsOn('none')],
  'a-dependency': [plain, dependsOn('plain-WHO')],
  'by-expression': [plain, dependsOn('plain-WHO', 'dep.metadata.generation > 99')],
  'bad-expression': [plain, dependsOn('plain-WHO', 'dep.nope.nope == 1')],
  'no-source': [plain, { sourceRef: { kind: 'GitRepository', name: 'none' } }],
  'no-cluster': [plain, { kubeConfig: { secretRef: { name: 'none' } } }],
  'no-keys': [plain, { decryption: { provider: 'sops', secretRef: { name: 'none' } } }],
  suspended: [plain, { suspend: true }],
};

const blue = { values: { color: 'blue' } };
const bad = { values: { port: 0 } };
const retries = (retries: number, more: JsonObject = {}) => ({
  remediation: { retries, remediateLastFailure: true, ...more },
});
const chart = (name: string, version = '1.0.0') => ({
  chart: { spec: { chart: name, version } },
});
const KUSTOMIZE = {
  postRenderers: [
    {
      kustomize: {
        patches: [{ patch: '- {op: add, path: /data/c, value: d}', target: { kind: 'ConfigMap' } }],
      },
    },
  ],
};

const RELEASES: Rows = {
  release: [{}, blue, chart('shop', '1.1.0')],
  renamed: [{}, { releaseName: 'renamed-new' }],
  'other-chart': [{}, chart('other')],
  'other-chart-anew': [{ upgrade: { chartNameChangeStrategy: 'Reinstall' } }, chart('other')],
  'install-fails': [bad],
  'install-retries': [{ ...bad, install: retries(1) }],
  'upgrade-fails': [{}, bad, { values: { port: 80 } }],
  'rolled-back': [{ upgrade: retries(0) }, bad],
  uninstalled: [{ upgrade: retries(0, { strategy: 'uninstall' }) }, bad],
  'fails-to-render': [{ values: { stop: 'no way' } }],
  library: [chart('library')],
  'no-chart': [chart('none')],
  'no-version': [chart('shop', '9.x')],
  'no-values': [{ valuesFrom: [{ kind: 'ConfigMap', name: 'none' }] }],
  'any-values': [{ valuesFrom: [{ kind: 'ConfigMap', name: 'none', optional: true }] }],
  'large-values': [{ values: { big: 1e18 } }],
  'post-rendered': [KUSTOMIZE],
  'drift-told': [{ driftDetection: { mode: 'warn' } }],
  'marked-all': [
    { commonMetadata: { labels: { t: 'x' } } },
    { commonMetadata: { labels: { t: 'y' } } },
  ],
  'no-account': [{ serviceAccountName: 'none' }],
  'release-suspended': [{}, { suspend: true }, { suspend: false }],
  'release-waits': [dependsOn('none')],
};

export const applierCases: readonly ApplierCase[] = [
  ...Object.entries(FOLDERS).map(([name, [files = {}, spec = {}]]) => ({
    ...{ kind: 'Kustomization' as const, name, spec },
    files: Object.fromEntries(
      Object.entries(files).map(([path, text]) => [path, text.replaceAll('NAME', name)]),
    ),
  })),
  ...Object.entries(RELEASES).map(([name, [spec, ...then]]) => ({
    ...{ kind: 'HelmRelease' as const, name, spec, then },
  })),
];
