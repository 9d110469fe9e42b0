/** HelmReleases on a real control plane: official helm reads what we release, and nothing stays pending after a crash. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import type { KubeClient } from '@capstan/kube-client';
import type { KubeObject } from '@capstan/kube-object';
import { parseYaml } from '@capstan/lib-yaml';
import { type Cluster, scratch, startCluster, whyNoCluster } from '../cluster/cluster.ts';
import { at, clientOf, eventually, makeNamespace } from '../cluster/support.ts';
import { officialProgram, whyNotOfficial } from '../tools/official.ts';
import { type ChartFiles, type ChartHost, startCharts } from './charts.ts';
import { Controller } from './controller.ts';
import { serveRepository } from './git-repository.ts';

const shop = (version: string, more: ChartFiles = {}): ChartFiles => ({
  'Chart.yaml': `apiVersion: v2\nname: shop\nversion: ${version}\nappVersion: "7"\n`,
  'values.yaml': 'color: red\nimage: example.com/app:v1\n',
  'templates/config.yaml': `apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-config}
data: {color: {{ .Values.color | quote }}}
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
      containers: [{name: main, image: {{ .Values.image | quote }}}]
      {{- with .Values.nodeSelector }}
      nodeSelector: {{ toJson . }}
      {{- end }}
`,
  'templates/test.yaml': `apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-test, annotations: {helm.sh/hook: test}}
`,
  'templates/NOTES.txt': 'Color {{ .Values.color }}.\n',
  ...more,
});

const RELEASE = 'helm.toolkit.fluxcd.io/v2';
const SOURCE = 'source.toolkit.fluxcd.io/v1';
const skip = whyNoCluster() || whyNotOfficial('helm', '4.3.1');

describe('HelmReleases on a real control plane', { skip }, () => {
  let cluster: Cluster;
  let client: KubeClient;
  let charts: ChartHost;
  let controller: Controller;

  before(async () => {
    cluster = await startCluster();
    client = await clientOf(cluster);
    charts = await startCharts();
    charts.publish(shop('1.0.0'));
    controller = new Controller({
      kubeconfig: cluster.kubeconfig,
      cache: scratch(cluster, 'cache'),
    });
    controller.start();
    await eventually(
      async () => {
        client.discovery.invalidate();
        const served = await client.discovery.kinds();
        return served.some(({ kind }) => kind === 'HelmRelease');
      },
      'the definitions',
      90_000,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${controller.log}`);
    });
  });

  after(async () => {
    await controller?.[Symbol.asyncDispose]();
    await charts?.[Symbol.asyncDispose]();
    await client?.close();
    await cluster?.stop();
  });

  let spaces = 0;
  async function space(): Promise<string> {
    const namespace = await makeNamespace(client, `flux-helm-${++spaces}`);
    await apply(`apiVersion: ${SOURCE}
kind: HelmRepository
metadata: {name: charts, namespace: ${namespace}}
spec: {url: "${charts.url}", interval: 10m}
`);
    return namespace;
  }

  async function apply(yaml: string): Promise<void> {
    for (const document of yaml.split(/^---$/m)) {
      await client.apply(parseYaml(document) as KubeObject, {
        fieldManager: 'kubectl',
        force: true,
      });
    }
  }

  const release = (namespace: string, spec: string, chart = CHART): Promise<void> =>
    apply(`apiVersion: ${RELEASE}
kind: HelmRelease
metadata: {name: web, namespace: ${namespace}}
spec:
  interval: 10m
${chart}
${spec}
`);
  const CHART =
    '  chart: {spec: {chart: shop, version: 1.x, sourceRef: {kind: HelmRepository, name: charts}}}';
  const find = (namespace: string) =>
    client.find({ apiVersion: RELEASE, kind: 'HelmRelease', namespace, name: 'web' });

  /** Waits for `Type=Status Reason` at the newest generation. */
  async function condition(namespace: string, wanted: string, timeoutMs = 60_000): Promise<string> {
    let found: unknown;
    let seen: KubeObject | undefined;
    await eventually(
      async () => {
        seen = await find(namespace);
        const list = at(seen, 'status', 'conditions');
        found = (Array.isArray(list) ? list : []).find(
          (one) =>
            `${at(one, 'type')}=${at(one, 'status')} ${at(one, 'reason')}` === wanted &&
            at(one, 'observedGeneration') === seen?.metadata.generation,
        );
        return found !== undefined;
      },
      wanted,
      timeoutMs,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${JSON.stringify(seen?.['status'])}\n${controller.log}`);
    });
    return String(at(found as KubeObject, 'message'));
  }

  function helm(namespace: string, ...args: readonly string[]): string {
    const all = [...args, '-n', namespace, '--kubeconfig', cluster.kubeconfig];
    const result = spawnSync(officialProgram('helm', '4.3.1'), all, { encoding: 'utf8' });
    assert.equal(result.status, 0, result.stderr);
    return result.stdout;
  }

  const history = (namespace: string): string =>
    (
      JSON.parse(helm(namespace, 'history', 'web', '-o', 'json')) as {
        revision: number;
        status: string;
      }[]
    )
      .map(({ revision, status }) => `${revision} ${status}`)
      .join(', ');

  const color = async (namespace: string): Promise<unknown> =>
    at(
      await client.find({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'web-config' }),
      'data',
      'color',
    );

  test('are installed, tested, upgraded and uninstalled; helm reads and continues them', async () => {
    const namespace = await space();
    await release(namespace, '  test: {enable: true}');
    assert.equal(
      await condition(namespace, 'Ready=True TestSucceeded'),
      `Helm test succeeded for release ${namespace}/web.v1 with chart shop@1.0.0: 1 test hook completed successfully`,
    );
    assert.match(helm(namespace, 'list'), /web\s+\S+\s+1\s+.*deployed\s+shop-1\.0\.0\s+7/);
    assert.match(helm(namespace, 'status', 'web'), /STATUS: deployed[\s\S]*Color red\./);
    await release(namespace, '  test: {enable: true}\n  values: {color: blue}');
    await condition(namespace, 'Released=True UpgradeSucceeded');
    await condition(namespace, 'Ready=True TestSucceeded');
    assert.equal(history(namespace), '1 superseded, 2 deployed');
    assert.match(helm(namespace, 'get', 'values', 'web'), /color: blue/);
    // What somebody does with helm is noticed, and brought back. The fields are helm-controller's, as they are with Flux.
    helm(namespace, 'rollback', 'web', '1', '--force-conflicts');
    assert.equal(await color(namespace), 'red');
    const annotations = { 'reconcile.fluxcd.io/requestedAt': 'now' };
    const ref = { apiVersion: RELEASE, kind: 'HelmRelease', namespace, name: 'web' };
    await client.patch(ref, { metadata: { annotations } }, { type: 'merge' });
    await eventually(async () => (await color(namespace)) === 'blue', 'the colour to come back');
    await eventually(() => history(namespace).endsWith('4 deployed'), 'the fourth revision');
    await client.delete(ref);
    await eventually(async () => (await find(namespace)) === undefined, 'the end');
    assert.equal(helm(namespace, 'list', '-q'), '');
    assert.equal(await color(namespace), undefined);
  });

  test('that fail to upgrade are rolled back', async () => {
    const namespace = await space();
    const rest =
      '  timeout: 4s\n  upgrade: {remediation: {retries: 0, remediateLastFailure: true}}\n';
    await release(namespace, rest);
    await condition(namespace, 'Ready=True InstallSucceeded');
    await release(namespace, `${rest}  values: {color: blue, nodeSelector: {no: where}}`);
    await condition(namespace, 'Stalled=True RetriesExceeded');
    assert.equal(
      await condition(namespace, 'Released=False UpgradeFailed'),
      `Helm upgrade failed for release ${namespace}/web with chart shop@1.0.0: timeout waiting for: [Deployment/${namespace}/web status: 'InProgress']`,
    );
    await condition(namespace, 'Ready=False RollbackSucceeded');
    assert.equal(history(namespace), '1 superseded, 2 failed, 3 deployed');
    assert.equal(await color(namespace), 'red');
  });

  test('that drift are corrected', async () => {
    const namespace = await space();
    await release(namespace, '  driftDetection: {mode: enabled}');
    await condition(namespace, 'Drifted=False NoDriftDetected');
    const config = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'web-config' };
    await client.patch(config, { data: { color: 'green' } }, { type: 'merge' });
    const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'web' };
    await client.delete(deployment);
    await eventually(async () => (await client.find(deployment)) === undefined, 'the deletion');
    const annotations = { 'reconcile.fluxcd.io/requestedAt': 'now' };
    const ref = { apiVersion: RELEASE, kind: 'HelmRelease', namespace, name: 'web' };
    await client.patch(ref, { metadata: { annotations } }, { type: 'merge' });
    await eventually(async () => (await color(namespace)) === 'red', 'the colour to come back');
    await eventually(async () => (await client.find(deployment)) !== undefined, 'the Deployment');
    assert.equal(history(namespace), '1 deployed');
  });

  test('take charts of a registry by tags, and of Git by revision', async () => {
    const namespace = await space();
    await apply(`apiVersion: ${SOURCE}
kind: HelmRepository
metadata: {name: oci, namespace: ${namespace}}
spec: {type: oci, url: "${charts.registry}", insecure: true, interval: 10m}
`);
    await release(namespace, '', CHART.replace('name: charts', 'name: oci'));
    await condition(namespace, 'Ready=True InstallSucceeded');
    assert.match(helm(namespace, 'list'), /shop-1\.0\.0/);
    await using repository = await serveRepository(shop('3.0.0'), 'charts/shop');
    await apply(`apiVersion: ${SOURCE}
kind: GitRepository
metadata: {name: repo, namespace: ${namespace}}
spec: {url: "${repository.url}", interval: 10m, ref: {branch: main}}
`);
    const chart =
      '  chart: {spec: {chart: ./charts/shop, reconcileStrategy: Revision, sourceRef: {kind: GitRepository, name: repo}}}';
    await release(namespace, '  values: {color: blue}', chart);
    await condition(namespace, 'Ready=True UpgradeSucceeded');
    const version = at(await find(namespace), 'status', 'lastAttemptedRevision');
    assert.equal(version, `3.0.0+${repository.commit.slice(0, 12)}`);
  });

  test('act as the service account that they name, and no more', async () => {
    const namespace = await space();
    await apply(`apiVersion: v1
kind: ServiceAccount
metadata: {name: tenant, namespace: ${namespace}}
`);
    await release(namespace, '  serviceAccountName: tenant');
    assert.match(
      await condition(namespace, 'Ready=False StateError'),
      new RegExp(
        `secrets is forbidden: User "system:serviceaccount:${namespace}:tenant" cannot list`,
      ),
    );
    await apply(`apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: tenant, namespace: ${namespace}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: tenant, namespace: ${namespace}}]
`);
    await condition(namespace, 'Ready=True InstallSucceeded');
  });

  test('killed in the middle of an install leave nothing pending', async () => {
    const namespace = await space();
    const rest = '  install: {remediation: {retries: 3}}\n  values: {nodeSelector: {no: where}}';
    await release(namespace, rest);
    await eventually(() => {
      const all = helm(namespace, 'list', '--pending', '-q');
      return all.includes('web');
    }, 'the pending revision');
    await controller.kill9();
    await release(namespace, '  install: {remediation: {retries: 3}}\n  values: {color: blue}');
    controller.start();
    await condition(namespace, 'Ready=True UpgradeSucceeded', 150_000);
    assert.equal(history(namespace), '1 superseded, 2 deployed');
    assert.equal(helm(namespace, 'list', '--pending', '-q'), '');
    assert.equal(await color(namespace), 'blue');
  });
});
