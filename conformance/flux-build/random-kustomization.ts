// biome-ignore-all lint/suspicious/noTemplateCurlyInString: such texts are part of what is compared
/** Random repositories with a Kustomization for them: plain folders and written ones, right and wrong. */
import type { Json, JsonObject } from '@capstan/kube-object';
import type { Choice } from '../tools/choice.ts';

export interface BuildCase {
  readonly files: { readonly [path: string]: string };
  readonly spec: JsonObject;
}

const FOLDER = 'app';

export function randomBuild(choice: Choice): BuildCase {
  return { files: repository(choice), spec: randomSpec(choice) };
}

function repository(choice: Choice): Record<string, string> {
  const files: Record<string, string> = {
    'base/dep.yaml': deployment('web', choice),
    'base/cm.yaml': configMap('conf', choice),
    'base/kustomization.yaml': `resources: [dep.yaml, cm.yaml]\n${choice.chance(30) ? 'commonLabels: {team: a}\n' : ''}`,
    'comp/kustomization.yaml': `apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n${choice.of(COMPONENTS)}`,
  };
  const inside = choice.chance(35) ? plainFolder(choice) : writtenFolder(choice);
  for (const [path, text] of Object.entries(inside)) files[`${FOLDER}/${path}`] = text;
  return files;
}

/** A folder that a kustomization.yaml is generated for. */
function plainFolder(choice: Choice): Record<string, string> {
  const files: Record<string, string> = {
    [choice.of(['a.yaml', 'z.yml'])]: deployment('a', choice),
  };
  const sometimes = (percent: number, path: string, text: () => string): void => {
    if (choice.chance(percent)) files[path] = text();
  };
  sometimes(70, 'b.yaml', () => configMap('b', choice));
  sometimes(40, 'sub/c.yaml', () => configMap('c', choice));
  sometimes(30, 'sub/d.yaml', () => `${configMap('d1', choice)}---\n${configMap('d2', choice)}`);
  if (choice.chance(30)) {
    files['own/kustomization.yml'] = 'resources: [e.yaml]\nnamePrefix: own-\n';
    files['own/e.yaml'] = configMap('e', choice);
  }
  sometimes(20, '.hidden/h.yaml', () => configMap('h', choice));
  sometimes(20, 'sub/.sourceignore', () => 'c.yaml\n');
  sometimes(20, 'empty.yaml', () => choice.of(['', '---\n', '# none\n']));
  sometimes(20, 'ns.yaml', () => NAMESPACE);
  sometimes(20, 'rb.yaml', () => BINDING);
  sometimes(15, 'list.yaml', () => {
    const item = configMap('l1', choice).replaceAll('\n', '\n  ').trimEnd();
    return `apiVersion: v1\nkind: List\nitems:\n- ${item}\n`;
  });
  sometimes(10, 'values.yaml', () => 'a: 1\n');
  sometimes(10, 'd.json', () => '{"a":1}');
  return files;
}

/** A folder with a kustomization.yaml, which is edited. */
function writtenFolder(choice: Choice): Record<string, string> {
  const files: Record<string, string> = {};
  const resources = ['../base'];
  const sometimes = (percent: number, path: string, text: () => string): void => {
    if (!choice.chance(percent)) return;
    files[path] = text();
    resources.push(path);
  };
  sometimes(40, 'x.yaml', () => configMap('x', choice));
  sometimes(30, 'rb.yaml', () => BINDING);
  sometimes(20, 'ns.yaml', () => NAMESPACE);
  const parts = [
    choice.chance(30) ? 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n' : '',
    choice.chance(90)
      ? `${choice.of(['resources', 'resources', 'resources', 'bases'])}: [${resources.join(', ')}]\n`
      : '',
    choice.chance(30)
      ? choice.of(['namespace: inner\n', 'namePrefix: in-\n', 'nameSuffix: -in\n'])
      : '',
    choice.chance(30) ? choice.of(IMAGES) : '',
    choice.chance(30) ? choice.of(GENERATORS) : '',
    choice.chance(20) ? choice.of(FIELDS) : '',
  ];
  const name = choice.of(['kustomization.yaml', 'kustomization.yml', 'Kustomization']);
  return { ...files, [name]: parts.join('') };
}

function randomSpec(choice: Choice): JsonObject {
  const spec: Record<string, Json> = {
    interval: '5m',
    prune: true,
    sourceRef: { kind: 'GitRepository', name: 'r' },
    path: choice.of(['./app', 'app', './app/', '/app', 'app/../app']),
  };
  const sometimes = (percent: number, field: string, value: () => Json): void => {
    if (choice.chance(percent)) spec[field] = value();
  };
  sometimes(35, 'targetNamespace', () => 'target');
  sometimes(25, 'namePrefix', () => 'pre-');
  sometimes(20, 'nameSuffix', () => '-suf');
  sometimes(35, 'images', () => [choice.of<JsonObject>(SPEC_IMAGES)]);
  sometimes(35, 'patches', () => [choice.of<JsonObject>(SPEC_PATCHES)]);
  sometimes(30, 'components', () => [
    choice.of(['../comp', '../none', './none', 'https://example.com/c']),
  ]);
  sometimes(30, 'ignoreMissingComponents', () => true);
  sometimes(20, 'buildMetadata', () => [
    choice.of(['originAnnotations', 'transformerAnnotations', 'managedByLabel']),
  ]);
  sometimes(40, 'postBuild', () => ({
    substitute: choice.of<JsonObject>([
      { color: 'red', n: '5' },
      { color: 'a: b' },
      { color: 'red\nblue', n: 'true' },
      {},
    ]),
    ...(choice.chance(40) ? { substituteStrategy: 'Always' } : {}),
  }));
  return spec;
}

function deployment(name: string, choice: Choice): string {
  const image = choice.of([
    'nginx:1',
    'nginx',
    'ghcr.io/org/app:v1',
    'nginx@sha256:abc',
    'redis:6@sha256:abc',
  ]);
  const variable = choice.of(['color', 'missing', 'color:=x', 'n']);
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  labels: {app: ${name}}
spec:
  replicas: 1
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      containers:
      - name: main
        image: ${image}
        env: [{name: A, value: "\${${variable}}"}]
`;
}

function configMap(name: string, choice: Choice): string {
  const namespace = choice.chance(30) ? '  namespace: other\n' : '';
  const value = choice.of(['1', 'x', '${color}', '$${keep}', '${n}']);
  return `apiVersion: v1
kind: ConfigMap
metadata:
  name: ${name}
${namespace}data: {a: "${value}", b: "${choice.of(['y', ''])}"}
`;
}

const NAMESPACE = 'apiVersion: v1\nkind: Namespace\nmetadata: {name: own}\n';
const BINDING = `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: crb}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: x}
subjects: [{kind: ServiceAccount, name: sa, namespace: default}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: sa}
`;
const COMPONENTS = [
  'commonAnnotations: {c: "1"}\n',
  'patches: [{patch: "[{op: add, path: /metadata/labels/c, value: d}]", target: {kind: Deployment}}]\n',
  'images: [{name: nginx, newTag: "9"}]\n',
] as const;
const IMAGES = [
  'images: [{name: nginx, newTag: "2"}]\n',
  'images: [{name: nginx, newTag: 2.5}]\n',
  'images: [{name: nginx, digest: "sha256:aa"}]\n',
  'images: [{name: nginx, newName: other, newTag: v3}, {name: nginx, newTag: v4}]\n',
  'imageTags: [{name: nginx, newTag: "8"}]\n',
] as const;
const GENERATORS = [
  'configMapGenerator: [{name: gen, literals: [a=b]}]\n',
  'configMapGenerator: [{name: gen, literals: [a=b], options: {disableNameSuffixHash: true}}]\n',
  'secretGenerator: [{name: sec, literals: [a=b]}]\n',
] as const;
const FIELDS = [
  'unknownField: 1\n',
  'x-anchor: &a {b: c}\n',
  'commonAnnotations: {n: "1"}\n',
  'labels: [{pairs: {l: m}, includeSelectors: true}]\n',
  'replicas: [{name: web, count: 3}]\n',
  'replicas: [{name: web, count: "3"}]\n',
  'commonLabels: {n: 1}\n',
  'patchesStrategicMerge: [{apiVersion: v1}]\n',
  'patchesJson6902: []\n',
  'metadata: {name: k, annotations: {a: b}}\n',
  'generatorOptions: {labels: {g: h}}\n',
  'patches: [{path: none.yaml}]\n',
  'components: [../comp]\n',
  'buildMetadata: [managedByLabel]\n',
  'sortOptions: {order: legacy}\n',
  'vars: []\n',
  'replacements: [{source: {kind: ConfigMap, name: conf, fieldPath: data.b}, targets: [{select: {kind: Deployment}, fieldPaths: [metadata.annotations.r], options: {create: true}}]}]\n',
  'openapi: {path: none}\n',
  'crds: []\n',
  'namespace: 5\n',
] as const;
const SPEC_IMAGES = [
  { name: 'nginx', newTag: '7' },
  { name: 'nginx', newName: 'reg.io/n', newTag: 'v7' },
  { name: 'nginx', digest: 'sha256:bb' },
  { name: 'ghcr.io/org/app', newName: 'x/y' },
  { name: 'redis', newTag: '7', digest: 'sha256:cc' },
] as const satisfies readonly [JsonObject, ...JsonObject[]];
const SPEC_PATCHES = [
  { patch: '- op: replace\n  path: /spec/replicas\n  value: 5\n', target: { kind: 'Deployment' } },
  {
    patch: 'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 4\n',
  },
  { patch: '$patch: delete\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: conf\n' },
  { patch: 'metadata:\n  annotations: {p: q}\n', target: { name: '(web|a)' } },
  {
    patch: 'kind: x\nmetadata:\n  name: y\n  annotations: {p: q}\n',
    target: { labelSelector: 'app=web' },
  },
  {
    patch: '[{"op":"add","path":"/metadata/annotations/z","value":"1"}]',
    target: { kind: 'ConfigMap', namespace: 'other' },
  },
  { patch: '- op: remove\n  path: /none\n', target: { kind: 'Deployment' } },
  { patch: 'nonsense', target: { kind: 'Deployment' } },
] as const satisfies readonly [JsonObject, ...JsonObject[]];
