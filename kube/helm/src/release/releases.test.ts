import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createKubeClient, type KubeClient } from '@capstan/kube-client';
import type { KubeObject } from '@capstan/kube-object';
import { type Sandbox, startSandbox } from '@capstan/kube-sandbox';
import { messageOf } from '@capstan/lib-std';
import type { Chart, Values } from '../chart.ts';
import { chartOfFiles } from '../load-chart.ts';
import type { ReleasePorts } from './cluster-port.ts';
import { installRelease } from './install-release.ts';
import { LEASE_MS, Operation } from './operation.ts';
import { listReleases, readRelease, releaseHistory } from './read-releases.ts';
import type { Release } from './release.ts';
import { ReleaseError } from './release-error.ts';
import { HOLDER_ANNOTATION, recordName, releaseStore } from './release-store.ts';
import { rollbackRelease } from './rollback-release.ts';
import { testRelease } from './test-release.ts';
import { uninstallRelease } from './uninstall-release.ts';
import { upgradeRelease } from './upgrade-release.ts';

const CHART = `apiVersion: v2
name: shop
version: 1.2.3
`;
const CONFIG = `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-config
data:
  color: {{ .Values.color | quote }}
  revision: {{ .Release.Revision | quote }}
`;

function chartOf(files: Readonly<Record<string, string>>): Chart {
  const all = { 'Chart.yaml': CHART, 'values.yaml': 'color: red\n', ...files };
  const encoder = new TextEncoder();
  return chartOfFiles(
    Object.entries(all).map(([name, text]) => ({ name, data: encoder.encode(text) })),
  );
}

function job(name: string, annotations: Readonly<Record<string, string>>, command = 'exit 0') {
  const lines = Object.entries(annotations).map(([key, value]) => `    ${key}: "${value}"\n`);
  return `apiVersion: batch/v1
kind: Job
metadata:
  name: ${name}
  annotations:
${lines.join('')}spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers:
        - {name: main, image: "example.com/job:1", command: [sh, -c, "${command}"]}
`;
}

let sandbox: Sandbox;
let client: KubeClient;
let ports: ReleasePorts;
let shift = 0;
const warnings: string[] = [];

before(async () => {
  sandbox = await startSandbox();
  client = createKubeClient(sandbox.transport);
  ports = {
    cluster: client,
    clock: {
      now: () => Date.now() + shift,
      after: (delayMs, run) => {
        const timer = setTimeout(run, delayMs);
        return () => clearTimeout(timer);
      },
    },
    warn: (message) => warnings.push(message),
  };
});

after(async () => {
  await client.close();
  await sandbox.close();
});

let spaces = 0;
async function space(): Promise<string> {
  const name = `space-${++spaces}`;
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  return name;
}

function find(kind: string, namespace: string, name: string): Promise<KubeObject | undefined> {
  const apiVersion = kind === 'Job' ? 'batch/v1' : 'v1';
  return client.find({ apiVersion, kind, namespace, name });
}

async function color(namespace: string, name = 'web'): Promise<unknown> {
  const data = (await find('ConfigMap', namespace, `${name}-config`))?.['data'];
  return typeof data === 'object' && data !== null ? Reflect.get(data, 'color') : undefined;
}

async function failure(promise: Promise<unknown>): Promise<ReleaseError> {
  const error = await promise.then(
    () => assert.fail('it did not fail'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof ReleaseError, messageOf(error));
  return error;
}

const states = (history: readonly Release[]): string =>
  history.map(({ revision, status }) => `${revision} ${status}`).join(', ');

const simple = chartOf({ 'templates/config.yaml': CONFIG });
const name = 'web';

describe('a release', () => {
  test('goes from install over upgrade and rollback to uninstall', async () => {
    const namespace = await space();
    const first = await installRelease(simple, {}, { name, namespace }, ports);
    assert.equal(`${first.status}: ${first.description}`, 'deployed: Install complete');
    assert.equal(await color(namespace), 'red');
    await upgradeRelease(simple, { color: 'blue' }, { name, namespace }, ports);
    assert.equal(await color(namespace), 'blue');
    const back = await rollbackRelease(name, { namespace }, ports);
    assert.equal(back.description, 'Rollback to 1');
    assert.equal(await color(namespace), 'red');
    const history = await releaseHistory(name, namespace, ports);
    assert.equal(states(history), '1 superseded, 2 superseded, 3 deployed');
    const listed = await listReleases({ namespace }, ports);
    assert.deepEqual(
      listed.map((one) => [one.name, one.revision]),
      [[name, 3]],
    );
    const gone = await uninstallRelease(name, { namespace, wait: true }, ports);
    assert.equal(gone?.release.status, 'uninstalled');
    assert.equal(await color(namespace), undefined);
    assert.equal(states(await listReleases({ namespace }, ports)), '');
  });

  test('is recorded as helm records it', async () => {
    const namespace = await space();
    const labels = { team: 'shop' };
    await installRelease(simple, { color: 'green' }, { name, namespace, labels }, ports);
    const secret = await find('Secret', namespace, recordName(name, 1));
    assert.equal(secret?.['type'], 'helm.sh/release.v1');
    const { createdAt: _made, modifiedAt, ...fixed } = secret?.metadata.labels ?? {};
    assert.deepEqual(fixed, {
      team: 'shop',
      name,
      owner: 'helm',
      status: 'deployed',
      version: '1',
    });
    assert.match(modifiedAt ?? '', /^\d+$/);
    assert.equal(secret?.metadata.annotations?.[HOLDER_ANNOTATION], undefined);
    const release = await readRelease(name, { namespace }, ports);
    assert.deepEqual(release.config, { color: 'green' });
    assert.deepEqual(release.labels, { team: 'shop' });
    assert.match(release.manifest, /^---\n# Source: shop\/templates\/config.yaml\n/);
  });

  test('keeps its values over an upgrade without values, or lays new ones over them', async () => {
    const namespace = await space();
    const values: Values = { color: 'blue', size: { a: 1 } };
    await installRelease(simple, values, { name, namespace }, ports);
    const same = await upgradeRelease(simple, {}, { name, namespace }, ports);
    assert.deepEqual(same.config, { color: 'blue', size: { a: 1 } });
    const more = { size: { b: 2 } };
    const reuse = { name, namespace, oldValues: 'reuse' as const };
    const both = await upgradeRelease(simple, more, reuse, ports);
    assert.deepEqual(both.config, { color: 'blue', size: { a: 1, b: 2 } });
    const reset = { name, namespace, oldValues: 'reset' as const };
    assert.deepEqual((await upgradeRelease(simple, {}, reset, ports)).config, {});
  });

  test('keeps no more revisions than asked, and always the deployed one', async () => {
    const namespace = await space();
    await installRelease(simple, {}, { name, namespace }, ports);
    for (const shade of ['a', 'b', 'c', 'd']) {
      await upgradeRelease(simple, { color: shade }, { name, namespace, maxHistory: 3 }, ports);
    }
    const history = await releaseHistory(name, namespace, ports);
    assert.equal(states(history), '3 superseded, 4 superseded, 5 deployed');
  });

  test('renders with what the cluster answers to lookup', async () => {
    const namespace = await space();
    await client.create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'known', namespace },
      data: { color: 'violet' },
    });
    const text = CONFIG.replace(
      '.Values.color',
      '(required "not there" (lookup "v1" "ConfigMap" .Release.Namespace "known").data).color',
    );
    const asking = chartOf({ 'templates/config.yaml': text });
    await installRelease(asking, {}, { name, namespace }, ports);
    assert.equal(await color(namespace), 'violet');
  });
});

describe('hooks', () => {
  const hooked = (command: string) =>
    chartOf({
      'templates/config.yaml': CONFIG,
      'templates/late.yaml': job(
        'late',
        { 'helm.sh/hook': 'pre-install,pre-upgrade', 'helm.sh/hook-weight': '5' },
        command,
      ),
      'templates/early.yaml': job('early', {
        'helm.sh/hook': 'pre-install',
        'helm.sh/hook-weight': '-5',
        'helm.sh/hook-delete-policy': 'hook-succeeded',
      }),
      'templates/test.yaml': job('probe', { 'helm.sh/hook': 'test' }),
    });

  test('run by weight, are waited for and deleted by their policy', async () => {
    const namespace = await space();
    const release = await installRelease(hooked('exit 0'), {}, { name, namespace }, ports);
    const ran = new Map(release.hooks.map((hook) => [hook.name, hook.lastRun]));
    assert.equal(ran.get('early')?.phase, 'Succeeded');
    assert.equal(ran.get('late')?.phase, 'Succeeded');
    assert.equal(ran.get('probe')?.phase, '');
    assert.ok((ran.get('early')?.completedAt ?? '') <= (ran.get('late')?.startedAt ?? ''));
    assert.equal(await find('Job', namespace, 'early'), undefined);
    assert.notEqual(await find('Job', namespace, 'late'), undefined);
    const tested = await testRelease(name, { namespace }, ports);
    assert.equal(tested.hooks.find((hook) => hook.name === 'probe')?.lastRun.phase, 'Succeeded');
    assert.equal(tested.hooks.length, 3);
  });

  test('that fail stop the install before anything else is made', async () => {
    const namespace = await space();
    const error = await failure(installRelease(hooked('exit 3'), {}, { name, namespace }, ports));
    assert.match(
      error.message,
      /^failed pre-install: resource Job\/space-\d+\/late not ready\. status: Failed, message: Job Failed\. failed: 1\/1$/,
    );
    assert.equal(error.release?.status, 'failed');
    assert.equal(await color(namespace), undefined);
    assert.equal(states(await releaseHistory(name, namespace, ports)), '1 failed');
  });
});

describe('a failed operation', () => {
  const POD = `apiVersion: v1
kind: Pod
metadata: {name: slow}
spec:
  containers: [{name: main, image: "example.com/app:unready"}]
`;

  test('can be rolled back at once, with what it made deleted', async () => {
    const namespace = await space();
    await installRelease(simple, {}, { name, namespace }, ports);
    const broken = chartOf({ 'templates/config.yaml': CONFIG, 'templates/pod.yaml': POD });
    const options = { name, namespace, rollbackOnFailure: true, timeoutMs: 800 };
    const error = await failure(upgradeRelease(broken, { color: 'blue' }, options, ports));
    assert.match(
      error.message,
      /^release web failed, and has been rolled back due to rollback-on-failure being set: resource Pod\/space-\d+\/slow not ready\. status: InProgress, message: .*\ncontext deadline exceeded$/,
    );
    assert.equal(await color(namespace), 'red');
    const history = await releaseHistory(name, namespace, ports);
    assert.equal(states(history), '1 superseded, 2 failed, 3 deployed');
    const pod = await find('Pod', namespace, 'slow');
    assert.ok(pod === undefined || pod.metadata.deletionTimestamp !== undefined);
  });

  test('leaves nothing when an install is to be all or nothing', async () => {
    const namespace = await space();
    const broken = chartOf({ 'templates/config.yaml': CONFIG, 'templates/pod.yaml': POD });
    const options = { name, namespace, rollbackOnFailure: true, timeoutMs: 500 };
    const error = await failure(installRelease(broken, {}, options, ports));
    assert.match(error.message, /^release web failed, and has been uninstalled due to/);
    assert.equal(await color(namespace), undefined);
    assert.equal(states(await listReleases({ namespace }, ports)), '');
  });
});

describe("what is not the release's own", () => {
  const foreign = (namespace: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'web-config', namespace },
    data: { color: 'theirs' },
  });

  test('is not taken over by an install, unless asked', async () => {
    const namespace = await space();
    await client.create(foreign(namespace), { fieldManager: 'them' });
    const error = await failure(installRelease(simple, {}, { name, namespace }, ports));
    assert.equal(
      error.message,
      `unable to continue with install: ConfigMap "web-config" in namespace "${namespace}" exists and cannot be imported into the current release: invalid ownership metadata; label validation error: missing key "app.kubernetes.io/managed-by": must be set to "Helm"; annotation validation error: missing key "meta.helm.sh/release-name": must be set to "web"; annotation validation error: missing key "meta.helm.sh/release-namespace": must be set to "${namespace}"`,
    );
    const options = { name, namespace, takeOwnership: true, forceConflicts: true };
    await installRelease(simple, {}, options, ports);
    assert.equal(await color(namespace), 'red');
  });

  test('and what is to be kept, stays when the release goes', async () => {
    const namespace = await space();
    const keep = CONFIG.replace(
      'metadata:',
      'metadata:\n  annotations: {helm.sh/resource-policy: keep}',
    );
    const chart = chartOf({
      'templates/a.yaml': keep,
      'templates/b.yaml': CONFIG.replace('-config', '-b'),
    });
    await installRelease(chart, {}, { name, namespace }, ports);
    const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'web-b' };
    const annotations = { 'meta.helm.sh/release-name': 'other' };
    await client.patch(ref, { metadata: { annotations } }, { type: 'merge' });
    const gone = await uninstallRelease(name, { namespace }, ports);
    assert.equal(
      gone?.info,
      'These resources were kept due to the resource policy:\n[ConfigMap] web-config\n\n1 resource(s) were not deleted because they are not owned by this release:\n[ConfigMap] web-b\n',
    );
    assert.equal(await color(namespace), 'red');
  });
});

describe('a crash', () => {
  async function crash(namespace: string, change: Partial<Release>): Promise<void> {
    const release = await readRelease(name, { namespace }, ports);
    await releaseStore(ports, namespace).create({ ...release, ...change }, 'gone');
  }

  test('leaves a pending revision that is respected while its owner may live, then recovered', async () => {
    const namespace = await space();
    await installRelease(simple, {}, { name, namespace }, ports);
    await crash(namespace, { revision: 2, status: 'pending-upgrade' });
    const blue: Values = { color: 'blue' };
    const early = await failure(upgradeRelease(simple, blue, { name, namespace }, ports));
    assert.equal(early.message, 'another operation (install/upgrade/rollback) is in progress');
    assert.equal(early.kind, 'wait');
    shift = LEASE_MS + 1_000;
    try {
      await upgradeRelease(simple, blue, { name, namespace }, ports);
    } finally {
      shift = 0;
    }
    assert.equal(await color(namespace), 'blue');
    const history = await releaseHistory(name, namespace, ports);
    assert.equal(states(history), '1 superseded, 2 failed, 3 deployed');
    assert.match(history[1]?.description ?? '', /^pending-upgrade was interrupted: its owner/);
  });

  test('is not what a label on the record means: the operation goes on, unless another holds it', async () => {
    const namespace = await space();
    const release = await installRelease(simple, {}, { name, namespace }, ports);
    const store = releaseStore(ports, namespace);
    const pending = { ...release, revision: 2, status: 'pending-upgrade' as const };
    const operation = new Operation(pending, { ports, store });
    await operation.begin();
    await operation.end();
    const record = { apiVersion: 'v1', kind: 'Secret', namespace, name: recordName(name, 2) };
    const change = (annotations: Readonly<Record<string, string>>) =>
      client.patch(record, { metadata: { annotations } }, { type: 'merge' });
    await change({ 'example.com/seen': 'yes' });
    operation.set({ description: 'still at work' });
    await operation.record();
    assert.equal((await readRelease(name, { namespace }, ports)).description, 'still at work');
    await change({ [HOLDER_ANNOTATION]: 'another' });
    const lost = await failure(operation.record());
    assert.equal(lost.code, 'RELEASE_LOST');
  });

  test('in a first install is installed over', async () => {
    const namespace = await space();
    const other = await installRelease(simple, {}, { name: 'other', namespace }, ports);
    const store = releaseStore(ports, namespace);
    await store.create({ ...other, name, status: 'pending-install' }, 'gone');
    shift = LEASE_MS + 1_000;
    try {
      const release = await installRelease(simple, {}, { name, namespace }, ports);
      assert.equal(release.revision, 2);
    } finally {
      shift = 0;
    }
    assert.equal(states(await releaseHistory(name, namespace, ports)), '1 failed, 2 deployed');
  });

  test('of helm itself, which gives no sign of life, is recovered only when asked', async () => {
    const namespace = await space();
    const release = await installRelease(simple, {}, { name, namespace }, ports);
    const store = releaseStore(ports, namespace);
    await store.create({ ...release, revision: 2, status: 'pending-upgrade' }, '');
    await failure(upgradeRelease(simple, {}, { name, namespace }, ports));
    const options = { name, namespace, recoverForeignAfterMs: 60_000 };
    await failure(upgradeRelease(simple, {}, options, ports));
    shift = 61_000;
    try {
      await upgradeRelease(simple, {}, options, ports);
    } finally {
      shift = 0;
    }
    assert.equal((await readRelease(name, { namespace }, ports)).status, 'deployed');
  });
});
