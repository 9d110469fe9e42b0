import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { packChart } from '@capstan/kube-helm';
import type { Json, KubeObject } from '@capstan/kube-object';
import { type ChartFiles, chartOf } from './testing/chart-server.ts';
import { at, conditions, createWorld, refTo, type World } from './testing/world.ts';

const CONFIG = `apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-config}
data: {color: {{ .Values.color | quote }}}
`;
const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
spec:
  replicas: 1
  progressDeadlineSeconds: 3
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec: {containers: [{name: main, image: "example.com/app:{{ .Values.tag }}"}]}
`;
const JOB = (name: string, hook: string): string => `apiVersion: batch/v1
kind: Job
metadata: {name: {{ .Release.Name }}-${name}, annotations: {helm.sh/hook: ${hook}}}
spec:
  backoffLimit: 0
  template:
    metadata: {annotations: {sandbox.capstan.dev/exit-code: {{ .Values.exit | quote }}}}
    spec: {restartPolicy: Never, containers: [{name: main, image: "example.com/job:1"}]}
`;

function shop(version: string, more: ChartFiles = {}): ChartFiles {
  return {
    'Chart.yaml': `apiVersion: v2\nname: shop\nversion: ${version}\nappVersion: "7"\n`,
    'values.yaml': 'color: red\ntag: v1\nexit: 0\n',
    'blue.yaml': 'color: blue\n',
    'templates/config.yaml': CONFIG,
    ...more,
  };
}

const REPOSITORY = (url: string): string => `apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: charts, namespace: apps}
spec: {url: "${url}", interval: 10m}
`;

/** A HelmRelease of the chart; `rest` are further lines of its spec. */
const RELEASE = (
  name: string,
  { chart = 'shop', version = '1.x', rest = '' } = {},
): string => `apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: ${name}, namespace: apps}
spec:
  interval: 10m
  chart: {spec: {chart: ${chart}, version: "${version}", sourceRef: {kind: HelmRepository, name: charts}}}
${rest
  .split('\n')
  .map((line) => `  ${line}`)
  .join('\n')}
`;

let world: World;

before(async () => {
  world = await createWorld();
  world.charts.publish(shop('1.0.0'));
  world.charts.publish({
    ...shop('1.0.0', {
      'templates/deployment.yaml': DEPLOYMENT,
      'templates/test.yaml': JOB('check', 'test'),
    }),
    'Chart.yaml': 'apiVersion: v2\nname: app\nversion: 1.0.0\n',
  });
  await world.apply(REPOSITORY(world.charts.url));
  await world.condition('HelmRepository', 'apps/charts', 'Ready=True');
});

after(async () => {
  await world[Symbol.asyncDispose]();
});

const color = async (name: string): Promise<Json | undefined> =>
  at(await world.get('ConfigMap', `apps/${name}-config`), 'data', 'color');

const annotate = (kind: string, path: string, marks: Readonly<Record<string, string>>) => {
  const annotations = Object.fromEntries(
    Object.entries(marks).map(([key, value]) => [`reconcile.fluxcd.io/${key}`, value]),
  );
  return world.client.patch(refTo(kind, path), { metadata: { annotations } }, { type: 'merge' });
};

/** Waits until the object has handled this request. */
const handled = (path: string, token: string): Promise<KubeObject | undefined> =>
  world.eventually(
    () => world.get('HelmRelease', path),
    (one) => at(one, 'status', 'lastHandledReconcileAt') === token,
  );

const states = (release: KubeObject | undefined): string => {
  const history = at(release, 'status', 'history');
  return (Array.isArray(history) ? history : [])
    .map(
      (one) =>
        `${String(at(one, 'version'))} ${String(at(one, 'action'))} ${String(at(one, 'status'))}`,
    )
    .join(', ');
};

const historyOf = async (path: string): Promise<string> =>
  states(await world.get('HelmRelease', path));

const gone = (kind: string, path: string): Promise<unknown> =>
  world.eventually(
    () => world.get(kind, path),
    (one) => one === undefined,
  );

describe('a HelmRelease from a repository', () => {
  test('is installed, upgraded by values and chart, and uninstalled when it goes', async () => {
    await world.apply(RELEASE('web'));
    const message = await world.condition('HelmRelease', 'apps/web', 'Ready=True InstallSucceeded');
    assert.equal(message, 'Helm install succeeded for release apps/web.v1 with chart shop@1.0.0');
    assert.equal(await color('web'), 'red');
    const config = await world.get('ConfigMap', 'apps/web-config');
    assert.deepEqual(config?.metadata.labels, {
      'app.kubernetes.io/managed-by': 'Helm',
      'helm.toolkit.fluxcd.io/name': 'web',
      'helm.toolkit.fluxcd.io/namespace': 'apps',
    });
    await world.apply(RELEASE('web', { rest: 'values: {color: blue}' }));
    await world.condition('HelmRelease', 'apps/web', 'Ready=True UpgradeSucceeded');
    assert.equal(await color('web'), 'blue');
    world.charts.publish(shop('1.1.0'));
    await annotate('HelmRepository', 'apps/charts', { requestedAt: 'now' });
    const upgraded = await world.eventually(
      () => world.get('HelmRelease', 'apps/web'),
      (one) =>
        at(one, 'status', 'lastAttemptedRevision') === '1.1.0' &&
        states(one).startsWith('3 upgrade deployed'),
    );
    assert.equal(at(upgraded, 'status', 'history', 0, 'chartVersion'), '1.1.0');
    assert.deepEqual(at(upgraded, 'status', 'inventory', 'entries'), [
      { id: 'apps_web-config__ConfigMap', v: 'v1' },
    ]);
    await world.client.delete(refTo('HelmRelease', 'apps/web'));
    await gone('HelmRelease', 'apps/web');
    assert.equal(await color('web'), undefined);
    await gone('HelmChart', 'apps/apps-web');
    const selector = { namespace: 'apps', labelSelector: 'owner=helm,name=web' };
    const secrets = await world.client.list({ apiVersion: 'v1', kind: 'Secret' }, selector);
    assert.equal(secrets.items.length, 0);
    assert.deepEqual(await world.events('HelmRelease', 'web'), [
      "Normal HelmChartCreated: Created HelmChart/apps/apps-web with SourceRef 'HelmRepository/apps/charts'",
      'Normal InstallSucceeded: Helm install succeeded for release apps/web.v1 with chart shop@1.0.0',
      'Normal UpgradeSucceeded: Helm upgrade succeeded for release apps/web.v2 with chart shop@1.0.0',
      'Normal UpgradeSucceeded: Helm upgrade succeeded for release apps/web.v3 with chart shop@1.1.0',
      'Normal UninstallSucceeded: Helm uninstall succeeded for release apps/web.v3 with chart shop@1.1.0',
      "Normal HelmChartDeleted: deleted HelmChart 'apps/apps-web'",
    ]);
    assert.deepEqual(await world.events('HelmChart', 'apps-web'), [
      "Normal ChartPullSucceeded: pulled 'shop' chart with version '1.0.0'",
      "Normal ChartPullSucceeded: pulled 'shop' chart with version '1.1.0'",
    ]);
  });

  test('writes nothing and asks for nothing while nothing changes', async () => {
    await world.apply(RELEASE('rest'));
    await world.condition('HelmRelease', 'apps/rest', 'Ready=True');
    await world.idle();
    const before = await world.get('HelmRelease', 'apps/rest');
    await world.restart();
    await new Promise((resolve) => setTimeout(resolve, 300));
    await world.idle();
    const later = await world.get('HelmRelease', 'apps/rest');
    assert.equal(later?.metadata.resourceVersion, before?.metadata.resourceVersion);
    const requests = world.requests();
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(world.requests(), requests);
  });

  test('is left alone while suspended, and when it goes suspended', async () => {
    await world.apply(RELEASE('still'));
    await world.condition('HelmRelease', 'apps/still', 'Ready=True');
    await world.apply(RELEASE('still', { rest: 'suspend: true\nvalues: {color: blue}' }));
    await world.idle();
    assert.equal(await color('still'), 'red');
    const seen = await world.get('HelmRelease', 'apps/still');
    assert.equal(at(seen, 'status', 'observedGeneration'), seen?.metadata.generation);
    await world.client.delete(refTo('HelmRelease', 'apps/still'));
    await gone('HelmRelease', 'apps/still');
    assert.equal(await color('still'), 'red');
  });
});

test('a library chart is a release of nothing, as where the action and not the command installs', async () => {
  world.charts.publish({
    'Chart.yaml': 'apiVersion: v2\nname: lib\nversion: 1.0.0\ntype: library\n',
    'templates/config.yaml': CONFIG,
  });
  await annotate('HelmRepository', 'apps/charts', { requestedAt: 'library' });
  await world.apply(RELEASE('lib', { chart: 'lib' }));
  await world.condition('HelmRelease', 'apps/lib', 'Ready=True InstallSucceeded');
  assert.equal(await color('lib'), undefined);
});

describe('a release that fails', () => {
  const BROKEN = 'values: {tag: crash}\ntimeout: 5s';

  test('is rolled back to what was good, and stalls when no retries are left', async () => {
    const rest = 'upgrade: {remediation: {retries: 0, remediateLastFailure: true}}';
    await world.apply(RELEASE('bad', { chart: 'app', rest }));
    await world.condition('HelmRelease', 'apps/bad', 'Ready=True InstallSucceeded');
    await world.apply(RELEASE('bad', { chart: 'app', rest: `${rest}\n${BROKEN}` }));
    const message = await world.condition(
      'HelmRelease',
      'apps/bad',
      'Stalled=True RetriesExceeded',
    );
    assert.equal(message, 'Failed to upgrade after 1 attempt(s)');
    const release = await world.get('HelmRelease', 'apps/bad');
    assert.match(
      await world.condition('HelmRelease', 'apps/bad', 'Released=False UpgradeFailed'),
      /^Helm upgrade failed for release apps\/bad with chart app@1\.0\.0: (failed early due to stalled resources|timeout waiting for): \[Deployment\/apps\/bad status: '(Failed|InProgress)'\]$/,
    );
    assert.equal(
      await world.condition('HelmRelease', 'apps/bad', 'Ready=False RollbackSucceeded'),
      'Helm rollback to previous release apps/bad.v1 with chart app@1.0.0 succeeded',
    );
    assert.equal(states(release), '3 rollback deployed, 2 upgrade failed, 1 rollback superseded');
    assert.equal(at(release, 'status', 'upgradeFailures'), 1);
    // A person asks for another attempt, when it may succeed.
    await world.apply(RELEASE('bad', { chart: 'app', rest }));
    await world.condition('HelmRelease', 'apps/bad', 'Ready=True UpgradeSucceeded');
    assert.equal(conditions(await world.get('HelmRelease', 'apps/bad')).length, 2);
  });

  test('is uninstalled when its install fails, as often as there are retries', async () => {
    const rest = `install: {remediation: {retries: 1, remediateLastFailure: true}}\n${BROKEN}`;
    await world.apply(RELEASE('never', { chart: 'app', rest }));
    await world.condition('HelmRelease', 'apps/never', 'Stalled=True RetriesExceeded');
    const events = await world.events('HelmRelease', 'never');
    const reasons = new Set(events.map((one) => one.split(':')[0]));
    assert.deepEqual(
      [...reasons],
      ['Normal HelmChartCreated', 'Warning InstallFailed', 'Normal UninstallSucceeded'],
    );
    const [, failed = ''] = events;
    assert.match(failed, /\n\nLast Helm logs:\n\n20\S+Z: .*\n/);
    assert.match(failed, /Z: waiting for resources: \{"count":2,"timeout":"\d+s"\}/);
    const failures = at(await world.get('HelmRelease', 'apps/never'), 'status', 'installFailures');
    assert.equal(failures, 2);
    assert.equal(await world.get('Deployment', 'apps/never'), undefined);
  });

  test('is tried again after a while when its strategy says so', async () => {
    const rest = `install: {strategy: {name: RetryOnFailure, retryInterval: 1s}}\nupgrade: {strategy: {name: RetryOnFailure, retryInterval: 1s}}\n${BROKEN}`;
    await world.apply(RELEASE('again', { chart: 'app', rest }));
    const message = await world.condition(
      'HelmRelease',
      'apps/again',
      'Reconciling=True ProgressingWithRetry',
    );
    assert.equal(message, 'retrying after 1s');
    await world.eventually(
      () => world.get('HelmRelease', 'apps/again'),
      (one) => states(one).startsWith('2 upgrade'),
    );
    await world.client.delete(refTo('HelmRelease', 'apps/again'));
    await gone('HelmRelease', 'apps/again');
  });

  test('by its tests is not ready, unless failures are ignored', async () => {
    const rest = 'test: {enable: true}\nvalues: {exit: 1}';
    await world.apply(RELEASE('test', { chart: 'app', rest }));
    const message = await world.condition(
      'HelmRelease',
      'apps/test',
      'TestSuccess=False TestFailed',
    );
    assert.match(message, /^Helm test failed for release apps\/test\.v1 with chart app@1\.0\.0: /);
    await world.condition('HelmRelease', 'apps/test', 'Stalled=True RetriesExceeded');
    await world.apply(
      RELEASE('test', { chart: 'app', rest: 'test: {enable: true}\nvalues: {exit: 0}' }),
    );
    assert.equal(
      await world.condition('HelmRelease', 'apps/test', 'Ready=True TestSucceeded'),
      'Helm test succeeded for release apps/test.v2 with chart app@1.0.0: 1 test hook completed successfully',
    );
  });
});

describe('requests', () => {
  test('force a release that is in place, once for each token', async () => {
    await world.apply(RELEASE('force'));
    await world.condition('HelmRelease', 'apps/force', 'Ready=True');
    await annotate('HelmRelease', 'apps/force', { requestedAt: 'a', forceAt: 'a' });
    await handled('apps/force', 'a');
    assert.equal(await historyOf('apps/force'), '2 upgrade deployed, 1 undefined superseded');
    await annotate('HelmRelease', 'apps/force', { requestedAt: 'b' });
    await handled('apps/force', 'b');
    assert.equal(await historyOf('apps/force'), '2 upgrade deployed, 1 undefined superseded');
  });
});

describe('drift', () => {
  test('is corrected when enabled, told when warned of, and ignored where a rule says so', async () => {
    const rest = (mode: string): string =>
      `driftDetection: {mode: ${mode}, ignore: [{paths: [/data/extra], target: {kind: ConfigMap}}]}`;
    await world.apply(RELEASE('drift', { rest: rest('warn') }));
    await world.condition('HelmRelease', 'apps/drift', 'Drifted=False NoDriftDetected');
    const ref = refTo('ConfigMap', 'apps/drift-config');
    const options = { type: 'merge' as const, fieldManager: 'somebody' };
    await world.client.patch(ref, { data: { extra: 'x' } }, options);
    await annotate('HelmRelease', 'apps/drift', { requestedAt: 'a' });
    await handled('apps/drift', 'a');
    await world.condition('HelmRelease', 'apps/drift', 'Drifted=False NoDriftDetected');
    await world.client.patch(ref, { data: { color: 'green' } }, options);
    await annotate('HelmRelease', 'apps/drift', { requestedAt: 'b' });
    assert.equal(
      await world.condition('HelmRelease', 'apps/drift', 'Drifted=True DriftDetected'),
      'Cluster state of release apps/drift.v1 has drifted from the desired state:\nConfigMap/apps/drift-config changed (0 additions, 1 changes, 0 removals)',
    );
    assert.equal(await color('drift'), 'green');
    await world.apply(RELEASE('drift', { rest: rest('enabled') }));
    await world.condition('HelmRelease', 'apps/drift', 'Drifted=False NoDriftDetected');
    assert.equal(await color('drift'), 'red');
    await world.client.delete(ref);
    await annotate('HelmRelease', 'apps/drift', { requestedAt: 'c' });
    await handled('apps/drift', 'c');
    assert.equal(await color('drift'), 'red');
    const events = await world.events('HelmRelease', 'drift');
    assert.ok(
      events.includes(
        'Normal DriftCorrected: Cluster state of release apps/drift.v1 has been corrected:\nConfigMap/apps/drift-config created',
      ),
      events.join('\n'),
    );
  });
});

describe('what a release is made of', () => {
  test('values come from ConfigMaps and Secrets, in their order, and a change is taken at once', async () => {
    await world.apply(`apiVersion: v1
kind: ConfigMap
metadata: {name: one, namespace: apps, labels: {reconcile.fluxcd.io/watch: Enabled}}
data: {values.yaml: "color: green"}
---
apiVersion: v1
kind: Secret
metadata: {name: two, namespace: apps}
stringData: {text: "a,b={c}"}
`);
    const rest = `valuesFrom:
  - {kind: ConfigMap, name: one}
  - {kind: ConfigMap, name: missing, optional: true}
  - {kind: Secret, name: two, valuesKey: text, targetPath: color, literal: true}`;
    await world.apply(RELEASE('values', { rest }));
    await world.condition('HelmRelease', 'apps/values', 'Ready=True');
    assert.equal(await color('values'), 'a,b={c}');
    await world.apply(RELEASE('values', { rest: rest.split('\n').slice(0, 2).join('\n') }));
    await world.condition('HelmRelease', 'apps/values', 'Ready=True UpgradeSucceeded');
    assert.equal(await color('values'), 'green');
    await world.client.patch(
      refTo('ConfigMap', 'apps/one'),
      { data: { 'values.yaml': 'color: black' } },
      { type: 'merge' },
    );
    await world.eventually(
      () => color('values'),
      (one) => one === 'black',
    );
    await world.apply(RELEASE('values', { rest: 'valuesFrom: [{kind: Secret, name: none}]' }));
    assert.equal(
      await world.condition('HelmRelease', 'apps/values', 'Ready=False ValuesError'),
      "could not resolve Secret chart values reference 'apps/none' with key 'values.yaml': secrets \"none\" not found",
    );
  });

  test('post-renderers, common metadata and a name of its own', async () => {
    const rest = `releaseName: other
targetNamespace: target
install: {createNamespace: true}
commonMetadata: {labels: {team: a}, annotations: {note: b}}
postRenderers:
  - kustomize:
      patches: [{target: {kind: ConfigMap}, patch: '[{"op": "add", "path": "/data/patched", "value": "yes"}]'}]`;
    await world.apply(RELEASE('post', { rest }));
    await world.condition('HelmRelease', 'apps/post', 'Ready=True');
    const config = await world.get('ConfigMap', 'target/other-config');
    assert.deepEqual(at(config, 'data'), { color: 'red', patched: 'yes' });
    assert.equal(config?.metadata.labels?.['team'], 'a');
    assert.equal(config?.metadata.annotations?.['note'], 'b');
    await world.apply(RELEASE('post', { rest: rest.replace('"yes"', '"no"') }));
    await world.condition('HelmRelease', 'apps/post', 'Ready=True UpgradeSucceeded');
    assert.equal(at(await world.get('ConfigMap', 'target/other-config'), 'data', 'patched'), 'no');
    // Another name: what was there goes first.
    await world.apply(RELEASE('post', { rest: 'releaseName: third' }));
    await world.eventually(
      () => color('third'),
      (one) => one === 'red',
    );
    await gone('ConfigMap', 'target/other-config');
  });

  test('a release waits for those that it depends on', async () => {
    await world.apply(RELEASE('later', { rest: 'dependsOn: [{name: first}]' }));
    assert.equal(
      await world.condition('HelmRelease', 'apps/later', 'Ready=False DependencyNotReady'),
      'unable to get \'apps/first\' dependency: helmreleases.helm.toolkit.fluxcd.io "first" not found',
    );
    await world.apply(RELEASE('first'));
    await world.condition('HelmRelease', 'apps/later', 'Ready=True InstallSucceeded');
    const expression =
      'dependsOn: [{name: first, readyExpr: "dep.status.history[0].version == 9"}]';
    await world.apply(RELEASE('later', { rest: expression }));
    assert.equal(
      await world.condition('HelmRelease', 'apps/later', 'Ready=False DependencyNotReady'),
      "dependency 'apps/first' is not ready according to readyExpr eval",
    );
    await world.apply(RELEASE('later', { rest: 'dependsOn: [{name: first, readyExpr: "dep."}]' }));
    await world.condition('HelmRelease', 'apps/later', 'Stalled=True InvalidCELExpression');
  });
});

describe('charts', () => {
  test('from the artifact of a Git repository follow versions or revisions, with values files merged', async () => {
    const chart = chartOf(shop('3.0.0'));
    const folder = 'shop';
    const stored = await world.artifacts.store(
      { kind: 'GitRepository', namespace: 'apps', name: 'repo', fileName: 'a.tar.gz' },
      [packChart(chart)],
    );
    await world.apply(
      'apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: repo, namespace: apps}\nspec: {url: "https://example.com/x", interval: 1h}\n',
    );
    const revision = `main@sha1:${'0123456789'.repeat(4)}`;
    const status = {
      observedGeneration: 1,
      artifact: { ...stored, revision, lastUpdateTime: '2026-01-01T00:00:00Z' },
    };
    await world.client.patch(
      refTo('GitRepository', 'apps/repo'),
      { status },
      { type: 'merge', subresource: 'status' },
    );
    const make = (name: string, more: string): string =>
      `apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmChart\nmetadata: {name: ${name}, namespace: apps}\nspec: {chart: ./${folder}, interval: 1h, sourceRef: {kind: GitRepository, name: repo}${more}}\n`;
    await world.apply(make('git', ''));
    assert.equal(
      await world.condition('HelmChart', 'apps/git', 'Ready=True ChartPackageSucceeded'),
      "packaged 'shop' chart with version '3.0.0'",
    );
    await world.apply(
      make(
        'git',
        ', reconcileStrategy: Revision, valuesFiles: [shop/values.yaml, shop/blue.yaml, none.yaml], ignoreMissingValuesFiles: true',
      ),
    );
    assert.equal(
      await world.condition('HelmChart', 'apps/git', 'Ready=True ChartPackageSucceeded'),
      "packaged 'shop' chart with version '3.0.0+012345678901.2' and merged values files [shop/values.yaml shop/blue.yaml]",
    );
    assert.deepEqual(
      at(await world.get('HelmChart', 'apps/git'), 'status', 'observedValuesFiles'),
      ['shop/values.yaml', 'shop/blue.yaml'],
    );
    await world.apply(
      RELEASE('git').replace(/ {2}chart: .*\n/, '  chartRef: {kind: HelmChart, name: git}\n'),
    );
    await world.condition('HelmRelease', 'apps/git', 'Ready=True');
    assert.equal(await color('git'), 'blue');
    await world.apply(make('git', ', valuesFiles: [none.yaml]'));
    assert.equal(
      await world.condition('HelmChart', 'apps/git', 'BuildFailed=True ValuesFilesError'),
      "values files merge error: no values file found at path '/none.yaml' (reference 'none.yaml')",
    );
  });

  test('that are OCI artifacts are known by their digest', async () => {
    const file = { kind: 'OCIRepository', namespace: 'apps', name: 'oci', fileName: 'a.tar.gz' };
    const stored = await world.artifacts.store(file, [packChart(chartOf(shop('4.0.0')))]);
    await world.apply(
      'apiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\nmetadata: {name: oci, namespace: apps}\nspec: {url: "oci://example.com/x", interval: 1h}\n',
    );
    const digest = `sha256:${'ab'.repeat(32)}`;
    const status = {
      observedGeneration: 1,
      artifact: { ...stored, revision: `4.0.0@${digest}`, lastUpdateTime: '2026-01-01T00:00:00Z' },
    };
    await world.client.patch(
      refTo('OCIRepository', 'apps/oci'),
      { status },
      { type: 'merge', subresource: 'status' },
    );
    await world.apply(
      RELEASE('oci').replace(/ {2}chart: .*\n/, '  chartRef: {kind: OCIRepository, name: oci}\n'),
    );
    await world.condition('HelmRelease', 'apps/oci', 'Ready=True');
    const release = await world.get('HelmRelease', 'apps/oci');
    assert.equal(at(release, 'status', 'history', 0, 'chartVersion'), '4.0.0+abababababab');
    assert.equal(at(release, 'status', 'history', 0, 'ociDigest'), digest);
    assert.equal(at(release, 'status', 'lastAttemptedRevisionDigest'), digest);
  });

  test('of a repository that wants a login are fetched with it, and only with it', async () => {
    world.charts.login = 'me:secret';
    try {
      await world.apply(`apiVersion: v1
kind: Secret
metadata: {name: login, namespace: apps}
stringData: {username: me, password: wrong}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: private, namespace: apps}
spec: {url: "${world.charts.url}", interval: 10m, secretRef: {name: login}}
`);
      assert.match(
        await world.condition('HelmRepository', 'apps/private', 'FetchFailed=True Failed'),
        /^failed to fetch Helm repository index: .*401/,
      );
      await world.client.patch(
        refTo('Secret', 'apps/login'),
        { data: { password: Buffer.from('secret').toString('base64') } },
        { type: 'merge' },
      );
      await annotate('HelmRepository', 'apps/private', { requestedAt: 'now' });
      await world.condition('HelmRepository', 'apps/private', 'Ready=True Succeeded');
      await world.apply(RELEASE('private').replace('name: charts', 'name: private'));
      await world.condition('HelmRelease', 'apps/private', 'Ready=True');
    } finally {
      world.charts.login = undefined;
    }
  });

  test('that nobody offers are asked for in vain', async () => {
    await world.apply(RELEASE('none', { version: '9.x' }));
    assert.equal(
      await world.condition('HelmChart', 'apps/apps-none', 'Stalled=True InvalidChartReference'),
      "invalid chart reference: failed to get chart version for remote reference: no 'shop' chart with version matching '9.x' found",
    );
    await world.eventually(
      () => world.condition('HelmRelease', 'apps/none', 'Ready=False SourceNotReady'),
      (message) =>
        message?.startsWith(
          "HelmChart 'apps/apps-none' is not ready: invalid chart reference: ",
        ) === true,
    );
  });
});
