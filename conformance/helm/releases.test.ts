/** Releases on a real control plane: the official helm 4 and 3 work on ours, and we on theirs. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { KubeClient } from '@capstan/kube-client';
import {
  type Chart,
  decodeRecord,
  installRelease,
  loadChart,
  type Release,
  type ReleasePorts,
  readRelease,
  releaseHistory,
  rollbackRelease,
  testRelease,
  uninstallRelease,
  upgradeRelease,
} from '@capstan/kube-helm';
import { openDiskTree } from '@capstan/lib-files/disk';
import { type Cluster, startCluster, whyNoCluster } from '../cluster/cluster.ts';
import { at, clientOf, makeNamespace } from '../cluster/support.ts';
import { officialProgram, whyNotOfficial } from '../tools/official.ts';
import { releaseMerge } from './merge-ports.ts';

const FILES: Readonly<Record<string, string>> = {
  'Chart.yaml': `apiVersion: v2
name: shop
version: 1.2.3
appVersion: "7"
description: A shop
keywords: [shop]
maintainers: [{name: a, email: a@example.com}]
annotations: {team: shop}
dependencies:
  - {name: child, version: 0.1.0, repository: "", condition: child.enabled}
`,
  'values.yaml': 'color: red\nextra: true\nchild: {enabled: true}\nratio: 0.5\nbig: 10000000\n',
  'README.md': '# shop\n',
  'values.schema.json': '{"type":"object"}',
  'crds/thing.yaml': `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: things, singular: thing, kind: Thing, listKind: ThingList}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
`,
  'charts/child/Chart.yaml': 'apiVersion: v2\nname: child\nversion: 0.1.0\n',
  'charts/child/templates/config.yaml': `apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-child}
data: {from: child}
`,
  'templates/NOTES.txt': 'Color {{ .Values.color }}, revision {{ .Release.Revision }}.\n',
  'templates/config.yaml': `apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-config}
data:
  color: {{ .Values.color }}
  {{- if .Values.extra }}
  extra: "yes"
  {{- end }}
`,
  'templates/thing.yaml': `apiVersion: example.com/v1
kind: Thing
metadata: {name: {{ .Release.Name }}-thing}
spec: {color: {{ .Values.color }}}
`,
  'templates/deployment.yaml': `apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
spec:
  replicas: 1
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec:
      containers:
        - name: main
          image: example.com/shop:{{ .Chart.AppVersion }}
          {{- if .Values.extra }}
          env: [{name: EXTRA, value: "yes"}]
          {{- end }}
`,
  'templates/hook.yaml': `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-hook
  annotations: {helm.sh/hook: "pre-install,post-upgrade", helm.sh/hook-weight: "3"}
`,
  'templates/test.yaml': `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-test
  annotations: {helm.sh/hook: test, helm.sh/hook-delete-policy: hook-succeeded}
`,
};

const skip = whyNoCluster() || whyNotOfficial('helm', '4.3.1') || whyNotOfficial('helm', '3.22.0');

describe('releases on a real control plane', { skip }, () => {
  let cluster: Cluster;
  let client: KubeClient;
  let ports: ReleasePorts;
  let folder: string;
  let chart: Chart;
  const name = 'web';

  before(async () => {
    cluster = await startCluster();
    client = await clientOf(cluster);
    const clock = {
      now: () => Date.now(),
      after: (delayMs: number, run: () => void) => {
        const timer = setTimeout(run, delayMs);
        return () => clearTimeout(timer);
      },
    };
    ports = { cluster: client, clock, merge: await releaseMerge() };
    folder = mkdtempSync(join(tmpdir(), 'helm-releases-'));
    for (const [file, text] of Object.entries(FILES)) {
      mkdirSync(dirname(join(folder, 'shop', file)), { recursive: true });
      writeFileSync(join(folder, 'shop', file), text);
    }
    chart = loadChart(openDiskTree(join(folder, 'shop')));
  });

  after(async () => {
    await client?.close();
    await cluster?.stop();
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  let spaces = 0;
  const space = (): Promise<string> => makeNamespace(client, `helm-${++spaces}`);

  /** Runs the official helm; its standard output. */
  function helm(version: '4.3.1' | '3.22.0', ...args: readonly string[]): string {
    const result = spawnSync(officialProgram('helm', version), args, {
      encoding: 'utf8',
      cwd: folder,
      env: { HOME: folder, PATH: '', KUBECONFIG: cluster.kubeconfig },
    });
    assert.equal(result.status, 0, `helm ${args.join(' ')}\n${result.stderr}`);
    return result.stdout;
  }

  async function data(namespace: string, object = `${name}-config`): Promise<unknown> {
    const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: object };
    return (await client.find(ref))?.['data'];
  }

  async function recordOf(namespace: string, revision: number): Promise<unknown> {
    const ref = { apiVersion: 'v1', kind: 'Secret', namespace };
    const secret = await client.get({ ...ref, name: `sh.helm.release.v1.${name}.v${revision}` });
    const text = Buffer.from(String(at(secret, 'data', 'release')), 'base64').toString();
    const { labels, ...release } = decodeRecord(text);
    const json = JSON.stringify(release, null, 1)
      .replaceAll(/"\d{4}-\d\d-\d\dT[^"]*"/g, '"TIME"')
      .replaceAll(/\n\s*"modtime": "TIME",?/g, '')
      .replaceAll(/,(\s*\})/g, '$1')
      .replaceAll(namespace, 'NAMESPACE');
    return { ...JSON.parse(json), labels };
  }

  const statuses = (history: readonly Release[]): string =>
    history.map(({ revision, status }) => `${revision} ${status}`).join(', ');

  test('a record of ours holds what one of helm 4 holds', async () => {
    const [ours, theirs] = [await space(), await space()];
    const values = { color: 'blue', list: [1, 2.5, 'x'] };
    await installRelease(chart, values, { name, namespace: ours, wait: true }, ports);
    const set = ['--set', 'color=blue', '--set-json', 'list=[1,2.5,"x"]', '--wait'];
    helm('4.3.1', 'install', name, './shop', '-n', theirs, ...set);
    assert.deepEqual(await recordOf(ours, 1), await recordOf(theirs, 1));
    const all = (version: '4.3.1' | '3.22.0', namespace: string): string =>
      helm(version, 'get', 'all', name, '-n', namespace)
        .replaceAll(namespace, 'NAMESPACE')
        .replaceAll(/(DEPLOYED|Started|Completed): +.*/g, '$1: TIME');
    assert.equal(all('4.3.1', ours), all('4.3.1', theirs));
    assert.equal(all('3.22.0', ours), all('3.22.0', theirs));
  });

  test('objects of ours are owned field by field as those of helm 4', async () => {
    const [ours, theirs] = [await space(), await space()];
    await installRelease(chart, {}, { name, namespace: ours }, ports);
    helm('4.3.1', 'install', name, './shop', '-n', theirs);
    for (const kind of ['ConfigMap', 'Deployment', 'Thing']) {
      const owned = async (namespace: string): Promise<unknown> => {
        const apiVersion = { ConfigMap: 'v1', Deployment: 'apps/v1' }[kind] ?? 'example.com/v1';
        const object = { ConfigMap: 'web-config', Deployment: 'web' }[kind] ?? 'web-thing';
        const live = await client.get({ apiVersion, kind, namespace, name: object });
        const { managedFields = [], labels, annotations = {} } = live.metadata;
        const mine = managedFields.filter((entry) => entry.manager === 'helm');
        const stripped = mine.map(({ time: _time, ...entry }) => entry);
        const {
          'meta.helm.sh/release-namespace': home,
          'deployment.kubernetes.io/revision': _count,
          ...rest
        } = annotations;
        return { stripped, labels, rest, home: home === namespace };
      };
      assert.deepEqual(await owned(ours), await owned(theirs), kind);
    }
  });

  test('helm 4 lists, shows, upgrades, rolls back and uninstalls ours', async () => {
    const namespace = await space();
    await installRelease(chart, {}, { name, namespace }, ports);
    const listed: unknown = JSON.parse(helm('4.3.1', 'list', '-n', namespace, '-o', 'json'));
    assert.ok(Array.isArray(listed));
    const { updated: _time, ...row } = listed[0] as Record<string, string>;
    assert.deepEqual(row, {
      name,
      namespace,
      revision: '1',
      status: 'deployed',
      chart: 'shop-1.2.3',
      app_version: '7',
    });
    assert.match(helm('4.3.1', 'status', name, '-n', namespace), /STATUS: deployed/);
    const set = ['--set', 'color=blue,extra=false'];
    helm('4.3.1', 'upgrade', name, './shop', '-n', namespace, ...set);
    assert.deepEqual(await data(namespace), { color: 'blue' });
    helm('4.3.1', 'rollback', name, '1', '-n', namespace);
    assert.deepEqual(await data(namespace), { color: 'red', extra: 'yes' });
    const history = await releaseHistory(name, namespace, ports);
    assert.equal(statuses(history), '1 superseded, 2 superseded, 3 deployed');
    assert.equal(history[2]?.rollbackRevision, 1);
    helm('4.3.1', 'test', name, '-n', namespace);
    helm('4.3.1', 'uninstall', name, '-n', namespace, '--wait');
    assert.equal(await data(namespace), undefined);
  });

  test('we upgrade, roll back, test and uninstall those of helm 4', async () => {
    const namespace = await space();
    helm('4.3.1', 'install', name, './shop', '-n', namespace, '--labels', 'team=shop');
    const values = { color: 'blue', extra: false };
    const upgraded = await upgradeRelease(chart, values, { name, namespace, wait: true }, ports);
    assert.equal(upgraded.applyMethod, 'ssa');
    assert.deepEqual(upgraded.labels, { team: 'shop' });
    assert.deepEqual(await data(namespace), { color: 'blue' });
    assert.match(helm('4.3.1', 'history', name, '-n', namespace), /2 .*deployed.*Upgrade complete/);
    await rollbackRelease(name, { namespace, wait: true }, ports);
    assert.deepEqual(await data(namespace), { color: 'red', extra: 'yes' });
    assert.match(helm('4.3.1', 'status', name, '-n', namespace), /DESCRIPTION: Rollback to 1/);
    const tested = await testRelease(name, { namespace }, ports);
    const probe = tested.hooks.find((hook) => hook.name === 'web-test');
    assert.equal(probe?.lastRun.phase, 'Succeeded');
    await uninstallRelease(name, { namespace, keepHistory: true, wait: true }, ports);
    const listed = helm('4.3.1', 'list', '-n', namespace, '--uninstalled', '-q');
    assert.equal(listed.trim(), name);
  });

  test("those of helm 3 are merged on our side, or go over to the server's", async () => {
    const namespace = await space();
    helm('3.22.0', 'install', name, './shop', '-n', namespace);
    const first = await readRelease(name, { namespace }, ports);
    assert.equal(first.applyMethod, '');
    const values = { color: 'blue', extra: false };
    const merged = await upgradeRelease(chart, values, { name, namespace }, ports);
    assert.equal(merged.applyMethod, 'csa');
    assert.deepEqual(await data(namespace), { color: 'blue' });
    assert.match(
      helm('3.22.0', 'history', name, '-n', namespace),
      /2 .*deployed.*Upgrade complete/,
    );
    helm('3.22.0', 'rollback', name, '1', '-n', namespace);
    assert.deepEqual(await data(namespace), { color: 'red', extra: 'yes' });
    const moved = { name, namespace, serverSideApply: true };
    await upgradeRelease(chart, values, moved, ports);
    assert.deepEqual(await data(namespace), { color: 'blue' });
    const live = await client.get({ apiVersion: 'apps/v1', kind: 'Deployment', namespace, name });
    const containers = at(live, 'spec', 'template', 'spec', 'containers');
    assert.ok(Array.isArray(containers));
    assert.equal(Reflect.get(Object(containers[0]), 'env'), undefined);
    helm('3.22.0', 'uninstall', name, '-n', namespace);
    assert.equal(await data(namespace), undefined);
  });

  test("a pending revision that we left behind is recovered, also under helm's eyes", async () => {
    const namespace = await space();
    await installRelease(chart, {}, { name, namespace }, ports);
    const stop = new AbortController();
    const hangs: ReleasePorts['cluster']['apply'] = () =>
      new Promise((_resolve, reject) => {
        stop.signal.addEventListener('abort', () => reject(stop.signal.reason));
      });
    const held = upgradeRelease(
      chart,
      { color: 'blue' },
      { name, namespace, signal: stop.signal },
      { ...ports, cluster: { ...proxied(client), apply: hangs } },
    );
    held.catch(() => undefined);
    while ((await releaseHistory(name, namespace, ports)).length < 2) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await assert.rejects(
      upgradeRelease(chart, {}, { name, namespace }, ports),
      /another operation \(install\/upgrade\/rollback\) is in progress/,
    );
    const later = { ...ports.clock, now: () => Date.now() + 120_000 };
    await upgradeRelease(
      chart,
      { color: 'green' },
      { name, namespace },
      { ...ports, clock: later },
    );
    assert.match(helm('4.3.1', 'history', name, '-n', namespace), /2 .*failed.*was interrupted/);
    stop.abort();
    await assert.rejects(held, /was taken over by another while this operation was under way/);
  });
});

function proxied(client: KubeClient): ReleasePorts['cluster'] {
  return {
    discovery: client.discovery,
    find: (...args) => client.find(...args),
    list: (...args) => client.list(...args),
    create: (...args) => client.create(...args),
    update: (...args) => client.update(...args),
    patch: (...args) => client.patch(...args),
    apply: (...args) => client.apply(...args),
    delete: (...args) => client.delete(...args),
  };
}
