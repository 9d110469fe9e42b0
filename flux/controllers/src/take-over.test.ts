/** What kustomize-controller 1.9 left on a cluster is gone on with: nothing is written, nothing restarts. Recorded from a real one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '@capstan/kube-object';
import { parseYaml } from '@capstan/lib-yaml';
import { at, ready, settle } from './testing/look.ts';
import { createWorld, type World } from './testing/world.ts';

const REPO = 'https://git.example.com/org/my-app.git';
const FILES = {
  'config.yaml':
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {color: red, dropped: x}\n',
  'login.yaml': 'apiVersion: v1\nkind: Secret\nmetadata: {name: login}\nstringData: {user: ann}\n',
  'service.yaml': `apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
`,
  'web.yaml': `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: "nginx:1.27", env: [{name: A, value: "1"}], resources: {limits: {cpu: "1000m"}}}
`,
  'nightly.yaml': `apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: "0 3 * * *"
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: busybox}]}}}}
`,
};

/** What the original makes of manifests before it sends them, where that differs: as Go's types write them. */
const SENT: Readonly<Record<string, (text: string) => string>> = {
  'login.yaml': (text) => text.replace('stringData: {user: ann}', 'data: {user: YW5u}'),
  'service.yaml': (text) => text.replace('{port: 80,', '{port: 80, protocol: TCP,'),
  'web.yaml': (text) =>
    text.replace('  template:', '  strategy: {}\n  template:').replace('1000m', '1'),
  'nightly.yaml': (text) =>
    text
      .replace(
        'jobTemplate: {spec: {template: {',
        'jobTemplate: {metadata: {}, spec: {template: {metadata: {}, ',
      )
      .replace('image: busybox', 'image: busybox, resources: {}'),
};

const LABELS = {
  'kustomize.toolkit.fluxcd.io/name': 'my-app',
  'kustomize.toolkit.fluxcd.io/namespace': 'flux-system',
};

/** Some of the fields that the original then owns, as they were recorded. */
const OWNED: readonly (readonly [string, readonly string[]])[] = [
  ['Deployment', ['f:spec', 'f:strategy']],
  ['CronJob', ['f:spec', 'f:jobTemplate', 'f:metadata']],
  ['Service', ['f:spec', 'f:ports', 'k:{"port":80,"protocol":"TCP"}', 'f:protocol']],
  ['Secret', ['f:data', 'f:user']],
];

function statusOf(commit: string) {
  const time = '2026-01-02T03:04:05Z';
  const condition = (type: string, reason: string, message: string) => ({
    ...{ type, reason, message, status: 'True' },
    ...{ lastTransitionTime: time, observedGeneration: 1 },
  });
  const revision = `main@sha1:${commit}`;
  const entry = (id: string, v = 'v1') => ({ id: `flux-system_${id}`, v });
  return {
    conditions: [
      condition('Ready', 'ReconciliationSucceeded', `Applied revision: ${revision}`),
      condition('Healthy', 'Succeeded', 'Health check passed in 915.530669ms'),
    ],
    history: [
      {
        digest: 'sha256:021c39c67cbdd89d4a897482ce574df2d4e6514210f08637f7229f6f15151b95',
        ...{ firstReconciled: time, lastReconciled: time, lastReconciledDuration: '2.402212679s' },
        lastReconciledStatus: 'ReconciliationSucceeded',
        metadata: { revision },
        totalReconciliations: 1,
      },
    ],
    inventory: {
      entries: [
        ...['settings__ConfigMap', 'login__Secret', 'web__Service', 'web_apps_Deployment'],
        'nightly_batch_CronJob',
      ].map((id) => entry(id)),
    },
    ...{ lastAppliedRevision: revision, lastAttemptedRevision: revision, observedGeneration: 1 },
  };
}

const KUSTOMIZATION = {
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
  kind: 'Kustomization',
  metadata: {
    name: 'my-app',
    namespace: 'flux-system',
    finalizers: ['finalizers.fluxcd.io'],
  },
  spec: {
    ...{ interval: '10m', path: './deploy', prune: true, wait: true, timeout: '1m' },
    targetNamespace: 'flux-system',
    sourceRef: { kind: 'GitRepository', name: 'my-app' },
  },
};

/** Plays the original: its objects under its name, the Kustomization with its past. */
async function leave(world: World, commit: string): Promise<readonly KubeObject[]> {
  const { client } = world;
  const left: KubeObject[] = [];
  for (const [name, text] of Object.entries(FILES)) {
    const object = parseYaml(SENT[name]?.(text) ?? text) as KubeObject;
    const metadata = { ...object.metadata, namespace: 'flux-system', labels: LABELS };
    const options = { fieldManager: 'kustomize-controller', force: true };
    left.push(await client.apply({ ...object, metadata }, options));
  }
  await client.create(KUSTOMIZATION, { fieldManager: 'flux' });
  const status = { status: statusOf(commit) };
  const ref = { ...KUSTOMIZATION, name: 'my-app', namespace: 'flux-system' };
  const options = {
    type: 'merge',
    subresource: 'status',
    fieldManager: 'gotk-kustomize-controller',
  } as const;
  await client.patch(ref, status, options);
  await world.eventually(
    () => world.get('Deployment', 'flux-system/web'),
    (one) => at(one, 'status', 'availableReplicas') === 2,
  );
  return left;
}

const refOf = ({ apiVersion, kind, metadata: { name = '' } }: KubeObject) => ({
  ...{ apiVersion, kind, name },
  namespace: 'flux-system',
});

test('what the original applied is taken over as it is, gone on with, and can be handed back', async () => {
  await using world = await createWorld();
  const push = (files: Readonly<Record<string, string>>) =>
    world.sources.push(
      REPO,
      Object.fromEntries(Object.entries(files).map(([name, text]) => [`deploy/${name}`, text])),
    );
  const commit = push(FILES);
  await world.kubectlApply(`
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: my-app, namespace: flux-system}
spec: {interval: 1m, url: "${REPO}", ref: {branch: main}}
`);
  await world.eventually(
    () => world.get('GitRepository', 'flux-system/my-app'),
    (one) => at(one, 'status', 'artifact', 'revision') === `main@sha1:${commit}`,
  );
  let left: readonly KubeObject[] = [];
  let before: readonly KubeObject[] = [];
  const current = () => Promise.all(left.map((one) => world.client.get(refOf(one))));
  await world.restart(async () => {
    left = await leave(world, commit);
    before = await current();
  });
  for (const [kind, path] of OWNED) {
    const [managed] = before.find((one) => one.kind === kind)?.metadata.managedFields ?? [];
    assert.notEqual(at(managed?.fieldsV1, ...path), undefined, `${kind} ${path.join(' ')}`);
  }
  await settle();
  await world.controllers.idle();
  assert.deepEqual(await current(), before, 'no object is written');
  const adopted = await world.get('Kustomization', 'flux-system/my-app');
  assert.deepEqual(adopted?.['status'], statusOf(commit), 'nor the status');

  const { 'nightly.yaml': _pruned, ...rest } = FILES;
  const second = push({ ...rest, 'config.yaml': FILES['config.yaml'].replace(', dropped: x', '') });
  const done = await ready(world, `Applied revision: main@sha1:${second}`);
  assert.deepEqual(at(await world.get('ConfigMap', 'flux-system/settings'), 'data'), {
    color: 'red',
  });
  for (const [index, one] of left.entries()) {
    const now = await world.client.find(refOf(one));
    if (one.kind === 'CronJob') assert.equal(now, undefined);
    else if (one.kind !== 'ConfigMap')
      assert.deepEqual(now, before[index], `${one.kind} as it was`);
  }
  // What the original goes by when it comes back.
  const config = await world.get('ConfigMap', 'flux-system/settings');
  assert.deepEqual(
    config?.metadata.managedFields?.map(({ manager, operation }) => `${manager} ${operation}`),
    ['kustomize-controller Apply'],
  );
  assert.deepEqual(config?.metadata.labels, LABELS);
  const entries = at(done, 'status', 'inventory', 'entries');
  assert.deepEqual(entries, statusOf(second).inventory.entries.slice(0, 4));
  const history = at(done, 'status', 'history');
  assert.deepEqual(at(history, 1), statusOf(commit).history[0]);
});
