/** An Application as the engine takes it, and what is refused before. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AppProjectSpec, parseApplication } from '@capstan/argocd-api';
import type { Delivery } from '@capstan/engine-delivery';
import { CapstanError } from '@capstan/lib-std';
import { applicationOwners } from './application-owners.ts';
import { IN_CLUSTER } from './clusters.ts';
import { DEFAULT_PROJECT_SPEC } from './project-guard.ts';
import { readSettings } from './settings.ts';
import { application, CONTEXT, type Fields, SOURCE } from './testing/lowering.ts';
import { toDelivery } from './to-delivery.ts';
import { toImage } from './to-sources.ts';

test('the fields of an Application become a Delivery', () => {
  const rows: readonly (readonly [
    spec: Fields,
    read: (delivery: Delivery) => unknown,
    expected: unknown,
  ])[] = [
    [
      {},
      (d) => [d.sources[0]?.source, d.sources[0]?.render?.kind, d.sources[0]?.render?.path],
      [git('HEAD'), 'detect', 'app'],
    ],
    [
      { source: { ...SOURCE, targetRevision: 'v1.*', tagPrefix: 'app-' } },
      (d) => d.sources[0]?.source,
      { ...git('v1.*'), revision: { kind: 'any', name: 'v1.*', tagPrefix: 'app-' } },
    ],
    [
      { source: { ...SOURCE, directory: { recurse: true, exclude: '*.md' } } },
      (d) => d.sources[0]?.render,
      { kind: 'directory', path: 'app', recurse: true, exclude: '*.md' },
    ],
    [
      {
        source: {
          ...SOURCE,
          kustomize: {
            namePrefix: 'p-',
            images: ['nginx:1.2'],
            replicas: [{ name: 'web', count: '3' }],
            commonLabels: { a: 'b' },
          },
        },
      },
      (d) => d.sources[0]?.render,
      {
        kind: 'kustomize',
        path: 'app',
        overlay: {
          edits: true,
          namePrefix: 'p-',
          images: [{ name: 'nginx', newTag: '1.2' }],
          replicas: [{ name: 'web', count: 3 }],
          labels: { a: 'b' },
        },
        remote: { schemes: ['https', 'http', 'ssh', 'oci'], hosts: ['*'] },
      },
    ],
    [
      { sources: [SOURCE, { repoURL: 'https://git.example.com/values.git', ref: 'values' }] },
      (d) => d.sources.map(({ render }) => render?.kind),
      ['detect', undefined],
    ],
    [
      {},
      (d) => d.tracking.annotations,
      { 'argocd.argoproj.io/tracking-id': 'web:{group}/{kind}:{namespace:prod}/{name}' },
    ],
    [{}, (d) => d.automation, { kind: 'manual' }],
    [
      { syncPolicy: { automated: {} } },
      (d) => summary(d),
      'automatic prune=false heal=false empty=false retries=5 of 5000*2<180000',
    ],
    [
      { syncPolicy: { automated: { enabled: false, prune: true } } },
      (d) => d.automation.kind,
      'manual',
    ],
    [
      {
        syncPolicy: {
          automated: { prune: true, selfHeal: true, allowEmpty: true },
          retry: { limit: -1, backoff: { duration: '1m', factor: 3, maxDuration: '1h30m' } },
        },
      },
      (d) => summary(d),
      'automatic prune=true heal=true empty=true retries=-1 of 60000*3<5400000',
    ],
    [
      {
        syncPolicy: {
          syncOptions: ['CreateNamespace=true'],
          managedNamespaceMetadata: { labels: { team: 'a' } },
        },
      },
      (d) => d.sync.createNamespace,
      { name: 'prod', metadata: { labels: { team: 'a' }, annotations: {} } },
    ],
    [
      {
        syncPolicy: {
          syncOptions: [
            'PruneLast=true',
            'PrunePropagationPolicy=background',
            'Replace=true',
            'Validate=false',
            'ApplyOutOfSyncOnly=true',
            'Prune=confirm',
            'RespectIgnoreDifferences=true',
            'FailOnSharedResource=true',
          ],
        },
      },
      ({ sync, compare }) => [
        sync.pruneLast,
        sync.propagation,
        sync.replace,
        sync.validate,
        sync.outOfSyncOnly,
        sync.prunePermission,
        compare.respectIgnored,
        sync.failOnShared,
      ],
      [true, 'Background', true, false, true, 'confirm', 'live', true],
    ],
    [{}, (d) => d.sync.sendsRepeated, true],
    [{ syncPolicy: { syncOptions: ['ServerSideApply=true'] } }, (d) => d.sync.sendsRepeated, false],
    [{}, takesOverFrom, ['argocd-controller', 'kubectl-client-side-apply']],
    [
      { syncPolicy: { syncOptions: ['ClientSideApplyMigration=false'] } },
      takesOverFrom,
      ['argocd-controller'],
    ],
    [
      {
        ignoreDifferences: [
          { kind: 'Service', jqPathExpressions: ['.spec.clusterIP'] },
          { group: '*', kind: '*', managedFieldsManagers: ['m'], name: 'web-*' },
        ],
      },
      (d) =>
        d.compare.ignore.map(({ target, managers, pathExpressions }) => [
          target.group,
          target.kind,
          target.name,
          managers,
          pathExpressions,
        ]),
      [
        ['', 'Service', undefined, [], ['.spec.clusterIP']],
        ['*', '*', 'web-\\*', ['m'], []],
      ],
    ],
    [
      { destination: { name: 'in-cluster', namespace: 'prod' } },
      (d) => d.destination,
      { cluster: 'https://kubernetes.default.svc', namespace: 'prod' },
    ],
  ];
  for (const [spec, read, expected] of rows) {
    assert.deepEqual(
      read(toDelivery(application({ spec }), CONTEXT)),
      expected,
      JSON.stringify(spec),
    );
  }
});

test('an annotation says whether a newer revision waits for a sync that runs', () => {
  const annotated = (word: string) =>
    application({ metadata: { annotations: { 'capstan.dev/preempt': word } } });
  assert.equal(toDelivery(application({}), CONTEXT).preempt, 'afterHook');
  assert.equal(toDelivery(annotated('immediately'), CONTEXT).preempt, 'immediately');
  assert.match(
    refusal(() => toDelivery(annotated('sometimes'), CONTEXT)),
    /PREEMPT_INVALID .*sometimes/,
  );
});

test('an application among its own objects, or one of which nothing is known, does not count into its health', () => {
  const { overlooks } = toDelivery(application({ metadata: { uid: '1' } }), CONTEXT).health;
  const live = (uid: string, kind = 'Application') => ({
    apiVersion: 'argoproj.io/v1alpha1',
    kind,
    metadata: { name: 'x', uid },
  });
  assert.equal(overlooks?.(live('1'), { status: 'Degraded' }), true);
  assert.equal(overlooks?.(live('2'), { status: 'Degraded' }), false);
  assert.equal(overlooks?.(live('2'), { status: 'Unknown' }), true);
  assert.equal(overlooks?.(live('1', 'Rollout'), { status: 'Unknown' }), false);
});

test('submodules are part of a source, unless the administrator says otherwise', () => {
  const settings = readSettings({}, { 'reposerver.enable.git.submodule': 'false' });
  const without = toDelivery(application({}), { ...CONTEXT, settings }).sources[0]?.source;
  const { submodules: _filled, ...plain } = git('HEAD');
  assert.deepEqual(without, plain);
});

test('charts and artifacts of registries are sources', () => {
  const credentials = [
    {
      kind: 'repository' as const,
      url: 'registry.example.com/charts',
      project: '',
      auth: { username: 'u', password: 'p' },
      isOci: true,
      plainHttp: true,
    },
  ];
  const sourceOf = (source: Fields) =>
    toDelivery(application({ spec: { source } }), { ...CONTEXT, credentials }).sources[0];
  const chart = sourceOf({
    repoURL: 'https://charts.example.com',
    chart: 'web',
    targetRevision: '1.x',
    helm: { passCredentials: true, valuesObject: { a: 1 } },
  });
  assert.deepEqual(chart?.source, {
    kind: 'artifact',
    form: 'chart',
    url: 'https://charts.example.com',
    chart: 'web',
    revision: { kind: 'version', range: '1.x' },
    passCredentials: true,
  });
  assert.deepEqual([chart?.render?.kind, chart?.render?.path], ['helm', '']);
  const registry = {
    repoURL: 'registry.example.com/charts',
    chart: 'web',
    targetRevision: '1.2.3',
  };
  assert.deepEqual(sourceOf(registry)?.source, {
    kind: 'artifact',
    form: 'chart',
    url: 'oci://registry.example.com/charts',
    chart: 'web',
    revision: { kind: 'version', range: '1.2.3' },
    plainHttp: true,
    auth: { username: 'u', password: 'p' },
  });
  const artifact = sourceOf({ repoURL: 'oci://r/x', path: 'app', targetRevision: 'v1' });
  assert.deepEqual(artifact?.source, {
    kind: 'artifact',
    form: 'oci',
    url: 'oci://r/x',
    revision: { kind: 'version', range: 'v1' },
  });
  assert.deepEqual([artifact?.render?.kind, artifact?.render?.path], ['detect', 'app']);
});

test('hosts that the administrator trusts, and keys that the project demands', () => {
  const trust = { knownHosts: 'git ssh-ed25519 AAAA', certificates: { 'git.example.com': 'PEM' } };
  const of = (repoURL: string, spec: Partial<AppProjectSpec> = {}) =>
    toDelivery(application({ spec: { source: { repoURL, path: 'a' } } }), {
      ...CONTEXT,
      project: {
        apiVersion: 'argoproj.io/v1alpha1',
        kind: 'AppProject',
        metadata: { name: 'default' },
        spec: { ...DEFAULT_PROJECT_SPEC, ...spec },
      },
      trust,
      keys: { '4AEE18F83AFDEB23': 'ARMORED' },
    }).sources[0];
  const auth = (url: string) => {
    const source = of(url)?.source;
    return source?.kind === 'git' ? source.auth : undefined;
  };
  assert.deepEqual(auth('git@git.example.com:a/b.git'), { sshKnownHosts: trust.knownHosts });
  assert.deepEqual(auth('https://git.example.com/a/b.git'), { caCertificate: 'PEM' });
  assert.equal(auth('https://other.example.com/a/b.git'), undefined);
  const signed = of('https://x/a', { signatureKeys: [{ keyID: '4AEE18F83AFDEB23' }] });
  assert.deepEqual([signed?.verify?.mode, signed?.verify?.pgpKeys], ['tagOrHead', ['ARMORED']]);
  const policies = [
    { repos: [{ url: 'https://x/*' }], gpg: { mode: 'head', keys: ['0000'] } },
    { repos: [{ url: 'https://y/*' }], gpg: { mode: 'strict', keys: ['4AEE18F83AFDEB23'] } },
    { repos: [{ url: 'https://n/*' }], gpg: { mode: 'none', keys: [] } },
    { repos: [{ url: 'https://t/*' }, { url: '!https://t/out*' }], gpg: { mode: 'x', keys: [] } },
    { repos: [{ url: 'https://t/twice' }], gpg: { mode: 'head', keys: [] } },
  ];
  const integrity = { sourceIntegrity: { git: { policies } } };
  assert.deepEqual(of('https://x/a', integrity)?.verify?.pgpKeys, []);
  assert.equal(of('https://z/a', integrity)?.verify, undefined);
  assert.equal(of('https://n/a', integrity)?.verify, undefined);
  assert.equal(of('https://t/out/a', integrity)?.verify, undefined);
  const strict = of('https://y/a/deep', { ...integrity, signatureKeys: [{ keyID: '0000' }] });
  assert.deepEqual([strict?.verify?.mode, strict?.verify?.pgpKeys], ['history', ['ARMORED']]);
  assert.equal(strict?.verify?.seal, 'Argocd-gpg-seal');
  const refused = (url: string) => refusal(() => of(url, integrity));
  assert.match(refused('https://t/a'), /SIGNATURE_UNVERIFIED unknown GPG mode "x"/);
  assert.match(refused('https://t/twice'), /multiple \(2\) git source integrity policies/);
});

test('what cannot be done is refused with the field and what to do instead', () => {
  const rows: readonly (readonly [spec: Fields, message: RegExp])[] = [
    [
      { source: { ...SOURCE, plugin: { name: 'x' } } },
      /SOURCE_UNSUPPORTED spec\.source: config management plugins .* \| render with Kustomize/,
    ],
    [
      { destination: { server: 'https://other', namespace: 'x' } },
      /SPEC_INVALID error getting cluster by server "https:\/\/other": cluster "https:\/\/other" not found \| known clusters: in-cluster/,
    ],
    [
      { destination: { server: IN_CLUSTER.server, name: 'in-cluster' } },
      /SPEC_INVALID .*both name and server/,
    ],
    [{ destination: { namespace: 'x' } }, /SPEC_INVALID Destination server missing/],
    [
      { source: { repoURL: SOURCE.repoURL } },
      /SPEC_INVALID spec\.source\.repoURL and either spec\.source\.path or spec\.source\.chart are required/,
    ],
    [
      { source: { repoURL: 'https://charts', chart: 'web' } },
      /SPEC_INVALID spec\.source\.targetRevision is required if the manifest source is a helm chart/,
    ],
    [
      { sources: [{ ...SOURCE, ref: 'values' }, { repoURL: 'https://b' }] },
      /SPEC_INVALID .*either source\.path, source\.chart, or source\.ref are required for source https:\/\/b/,
    ],
    [
      {
        sourceHydrator: {
          drySource: { ...SOURCE, targetRevision: 'HEAD' },
          syncSource: { targetBranch: '', path: 'web' },
        },
      },
      /SPEC_INVALID spec\.sourceHydrator\.syncSource\.targetBranch is required/,
    ],
    [
      { syncPolicy: { automated: {}, retry: { backoff: { duration: 'soon' } } } },
      /DURATION_INVALID spec\.syncPolicy\.retry\.backoff\.duration: "soon"/,
    ],
    [
      { syncPolicy: { syncOptions: ['PrunePropagationPolicy=never'] } },
      /SPEC_INVALID .*PrunePropagationPolicy=never/,
    ],
  ];
  for (const [spec, message] of rows) {
    assert.match(
      refusal(() => toDelivery(application({ spec }), CONTEXT)),
      message,
    );
  }
  const project = (spec: object) => ({
    ...CONTEXT,
    project: {
      apiVersion: 'a',
      kind: 'AppProject',
      metadata: {},
      spec: { ...DEFAULT_PROJECT_SPEC, ...spec },
    },
  });
  const app = application({});
  assert.match(
    refusal(() => toDelivery(app, { ...CONTEXT, project: undefined })),
    /PROJECT_MISSING/,
  );
  assert.match(
    refusal(() => toDelivery(app, project({ sourceRepos: ['*', '!https://git.example.com/*'] }))),
    /PROJECT_DENIED .*a\.git is not permitted/,
  );
  assert.match(
    refusal(() => toDelivery(app, project({ destinations: [] }))),
    /PROJECT_DENIED .*allowed destinations/,
  );
  const elsewhere = application({ metadata: { namespace: 'team-b' } });
  assert.match(
    refusal(() => toDelivery(elsewhere, CONTEXT)),
    /PROJECT_DENIED .*namespace 'team-b'/,
  );
  assert.equal(
    toDelivery(elsewhere, project({ sourceNamespaces: ['team-*'] })).tracking.owner,
    'Application/team-b/web',
  );
});

test('an Application without what it needs is named with the field', () => {
  const parse = (object: Fields) => {
    const parsed = parseApplication({
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Application',
      metadata: {},
      ...object,
    });
    return parsed.kind === 'ok' ? 'ok' : `${parsed.field} ${parsed.message}`;
  };
  assert.equal(parse({}), 'spec is missing');
  assert.equal(parse({ spec: {} }), 'spec.destination is missing');
  assert.equal(
    parse({ spec: { destination: {}, sources: [{}] } }),
    'spec.sources[0].repoURL is missing',
  );
  assert.equal(parse({ spec: { destination: {}, source: SOURCE } }), 'ok');
});

test('images are read as kustomize takes them', () => {
  assert.deepEqual(toImage('nginx:1.2'), { name: 'nginx', newTag: '1.2' });
  assert.deepEqual(toImage('web=host:5000/nginx:1.2'), {
    name: 'web',
    newName: 'host:5000/nginx',
    newTag: '1.2',
  });
  const both = { name: 'host:5000/nginx', newTag: '1', digest: 'sha256:ab' };
  assert.deepEqual(toImage('host:5000/nginx:1@sha256:ab'), both);
  assert.deepEqual(toImage('nginx=*:2'), { name: 'nginx', newName: '*', newTag: '2' });
  assert.deepEqual(toImage('nginx@sha256:ab'), { name: 'nginx', digest: 'sha256:ab' });
});

test('the tracking annotation names the owner', () => {
  const owners = (id: string) =>
    applicationOwners('argocd')({
      apiVersion: 'v1',
      kind: 'A',
      metadata: { annotations: { 'argocd.argoproj.io/tracking-id': id } },
    });
  assert.deepEqual(owners('web:apps/Deployment:n/x'), ['Application/argocd/web']);
  assert.deepEqual(owners('team-b_web:apps/Deployment:n/x'), ['Application/team-b/web']);
  assert.deepEqual(owners('nonsense'), []);
});

test("what another installation tracks is nobody's here", () => {
  const settings = readSettings({ installationID: 'one' });
  const ownersOf = (id: string | undefined, given = settings) =>
    applicationOwners(
      'argocd',
      () => given,
    )({
      apiVersion: 'v1',
      kind: 'A',
      metadata: {
        annotations: {
          'argocd.argoproj.io/tracking-id': 'web:/A:n/x',
          ...(id === undefined ? {} : { 'argocd.argoproj.io/installation-id': id }),
        },
        labels: { 'app.kubernetes.io/instance': 'web' },
      },
    });
  assert.deepEqual(ownersOf('one'), ['Application/argocd/web']);
  assert.deepEqual([ownersOf('two'), ownersOf(undefined)], [[], []]);
  assert.deepEqual(ownersOf('two', readSettings({})), ['Application/argocd/web']);
  const byLabel = { installationID: 'one', 'application.resourceTrackingMethod': 'label' };
  assert.deepEqual(ownersOf('two', readSettings(byLabel)), ['Application/argocd/web']);
  const { tracking } = toDelivery(application({}), { ...CONTEXT, settings });
  assert.equal(tracking.annotations['argocd.argoproj.io/installation-id'], 'one');
});

function git(name: string) {
  return { kind: 'git', url: SOURCE.repoURL, revision: { kind: 'any', name }, submodules: true };
}

function takesOverFrom({ sync }: Delivery): readonly string[] {
  return sync.takeOverFrom.map(({ manager }) => manager);
}

function summary({ automation, sync }: Delivery): string {
  if (automation.kind === 'manual') return 'manual';
  const { limit, backoff } = automation.retry;
  return `automatic prune=${sync.prune} heal=${automation.selfHeal} empty=${automation.allowEmpty} retries=${limit} of ${backoff.baseMs}*${backoff.factor}<${backoff.maxMs}`;
}

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof CapstanError)
      return `${error.code} ${error.message} | ${error.hint ?? ''}`;
    throw error;
  }
  return 'accepted';
}
