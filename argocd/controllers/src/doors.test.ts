/** Both directions of the door as tables: resources → Delivery, DeliveryStatus → status. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Application,
  type ApplicationStatus,
  type AppProjectSpec,
  parseApplication,
} from '@capstan/argocd-api';
import type { Delivery, DeliveryStatus, ObjectStatus, Problem } from '@capstan/engine-delivery';
import type { Json, KubeObject } from '@capstan/kube-object';
import { CapstanError } from '@capstan/lib-std';
import { applicationOwners } from './application-owners.ts';
import { IN_CLUSTER } from './clusters.ts';
import { DEFAULT_PROJECT_SPEC } from './project-guard.ts';
import { readStatus } from './read-status.ts';
import {
  chartPolicy,
  findRepository,
  NO_TRUST,
  normalizeUrl,
  readRepositoryCredential,
  repositoryAccess,
} from './repositories.ts';
import { readSettings } from './settings.ts';
import { toApplicationStatus } from './to-application-status.ts';
import { type LoweringContext, toDelivery } from './to-delivery.ts';
import { toOperationRequest } from './to-operation-request.ts';
import { toImage } from './to-sources.ts';

type Fields = { readonly [key: string]: Json };

const SOURCE = { repoURL: 'https://git.example.com/a.git', path: 'app' };
const CONTEXT: LoweringContext = {
  controlNamespace: 'argocd',
  project: {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AppProject',
    metadata: { name: 'default' },
    spec: DEFAULT_PROJECT_SPEC,
  },
  credentials: [],
  clusters: [IN_CLUSTER],
  settings: readSettings({}),
  nowMs: Date.parse('2024-05-06T12:00:00Z'),
};

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
      [true, 'Background', true, false, true, 'confirm', true, true],
    ],
    [{}, (d) => d.sync.takeOverFrom, ['argocd-controller', 'kubectl-client-side-apply']],
    [
      { syncPolicy: { syncOptions: ['ClientSideApplyMigration=false'] } },
      (d) => d.sync.takeOverFrom,
      ['argocd-controller'],
    ],
    [
      {
        ignoreDifferences: [
          { kind: 'Service', jqPathExpressions: ['.spec.clusterIP'] },
          { group: '*', kind: '*', managedFieldsManagers: ['m'] },
        ],
      },
      (d) =>
        d.compare.ignore.map(({ target, managers, pathExpressions }) => [
          target.group,
          target.kind,
          managers,
          pathExpressions,
        ]),
      [
        ['', 'Service', [], ['.spec.clusterIP']],
        ['*', '*', ['m'], []],
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
  assert.deepEqual(toImage('host:5000/nginx'), { name: 'host:5000/nginx' });
  assert.deepEqual(toImage('nginx@sha256:ab'), { name: 'nginx', digest: 'sha256:ab' });
});

test('credentials are found by repository, then by the longest prefix, and never for another project', () => {
  const secret = (type: string, values: Record<string, string>) =>
    readRepositoryCredential({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { labels: { 'argocd.argoproj.io/secret-type': type } },
      data: Object.fromEntries(
        Object.entries(values).map(([name, value]) => [
          name,
          Buffer.from(value).toString('base64'),
        ]),
      ),
    });
  const credentials = [
    secret('repo-creds', { url: 'https://git.example.com/org', username: 'org', password: '1' }),
    secret('repo-creds', {
      url: 'https://git.example.com/org/team',
      username: 'team',
      password: '2',
    }),
    secret('repository', {
      url: 'https://git.example.com/org/own.git',
      username: 'own',
      password: '3',
    }),
    secret('repository', {
      url: 'https://git.example.com/org/plain',
      enableLfs: 'true',
      depth: '3',
    }),
    secret('repository', {
      url: 'https://git.example.com/x',
      username: 'p',
      password: '4',
      project: 'p',
    }),
    secret('cluster', { url: 'https://git.example.com/x', username: 'no' }),
    secret('repository', {
      url: 'registry.example.com/charts',
      type: 'helm',
      name: 'team',
      enableOCI: 'true',
      username: 'reg',
      password: '5',
    }),
    secret('repository', { url: 'http://127.0.0.1:8080', type: 'helm', name: 'own' }),
  ].flatMap((one) => one ?? []);
  const user = (url: string, project = 'default') =>
    findRepository(credentials, url, project)?.auth.username;
  assert.equal(user('https://git.example.com/org/any.git'), 'org');
  assert.equal(user('https://git.example.com/org/team/web'), 'team');
  assert.equal(user('https://GIT.example.com/org/own'), 'own');
  assert.equal(user('https://git.example.com/org/plain.git'), 'org');
  assert.equal(user('https://git.example.com/organisation/x'), undefined);
  assert.equal(user('https://git.example.com/x'), undefined);
  assert.equal(user('https://git.example.com/x', 'p'), 'p');
  assert.equal(normalizeUrl('git@github.com:Org/Repo.git'), 'ssh://git@github.com/org/repo');
  const { lfs, depth } =
    findRepository(credentials, 'https://git.example.com/org/plain.git', 'default') ?? {};
  assert.deepEqual([lfs, depth], [true, 3]);
  assert.equal(user('oci://registry.example.com/charts'), 'reg');
  assert.deepEqual(chartPolicy(credentials, 'default'), {
    schemes: ['https', 'http', 'oci'],
    hosts: ['*', '127.0.0.1'],
    aliases: { team: 'oci://registry.example.com/charts', own: 'http://127.0.0.1:8080' },
  });
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

test('manifests that stand in an operation are never applied: they would go past Git (row 42)', () => {
  const operation = { sync: { manifests: ['kind: ConfigMap'] } };
  assert.match(
    refusal(() => toOperationRequest(application({ operation }), undefined, CONTEXT)),
    /OPERATION_REFUSED operation\.sync\.manifests: local manifests are not applied/,
  );
});

test('an operation is the same request until it is over', () => {
  const app = application({
    operation: {
      sync: {
        revision: 'r',
        prune: true,
        resources: [{ kind: 'A', name: 'x' }],
        syncStrategy: { apply: { force: true } },
      },
      initiatedBy: { username: 'ann' },
    },
  });
  const first = toOperationRequest(app, undefined, CONTEXT);
  assert.deepEqual(first?.revisions, ['r']);
  assert.deepEqual(first?.policy, {
    prune: true,
    dryRun: false,
    skipHooks: true,
    force: true,
    selected: [{ group: '', kind: 'A', namespace: '', name: 'x' }],
  });
  assert.ok(first);
  const state = {
    request: first,
    phase: 'Running' as const,
    message: '',
    startedAtMs: 0,
    retryCount: 0,
    revisions: [],
    desiredDigest: '',
    results: [],
  };
  assert.equal(toOperationRequest(app, state, CONTEXT)?.id, first.id);
  assert.notEqual(
    toOperationRequest(app, { ...state, phase: 'Succeeded', finishedAtMs: 5 }, CONTEXT)?.id,
    first.id,
  );
  assert.equal(toOperationRequest(application({}), undefined, CONTEXT), undefined);
});

test('problems become the conditions of the original, each with what, where and what to do', () => {
  const rows: readonly (readonly [problem: Partial<Problem>, expected: string | undefined])[] = [
    [
      { stage: 'source', message: 'cannot reach it', hint: 'check the URL' },
      'ComparisonError: Failed to load target state: cannot reach it (check the URL)',
    ],
    [
      { stage: 'render', message: 'bad', location: { file: 'a.yaml', line: 3 } },
      'ComparisonError: Failed to load target state: failed to generate manifests: a.yaml:3: bad',
    ],
    [
      { stage: 'compare', message: 'no' },
      'ComparisonError: Failed to compare desired state to live state: no',
    ],
    [{ stage: 'spec', message: 'no' }, 'InvalidSpecError: no'],
    [{ stage: 'sync', message: 'no' }, 'SyncError: no'],
    [
      { stage: 'render', severity: 'warning', code: 'REPEATED_RESOURCE', message: 'twice' },
      'RepeatedResourceWarning: twice',
    ],
    [{ stage: 'compare', severity: 'warning', message: 'odd' }, undefined],
  ];
  for (const [problem, expected] of rows) {
    const full: Problem = {
      stage: 'sync',
      severity: 'error',
      code: 'X',
      message: '',
      kind: 'stalled',
      ...problem,
    };
    const [condition] = raise({ problems: [full] }).conditions ?? [];
    assert.equal(condition && `${condition.type}: ${condition.message}`, expected);
  }
});

test('times of conditions and of health stay while nothing changes', () => {
  const problem: Problem = {
    stage: 'sync',
    severity: 'error',
    code: 'X',
    message: 'm',
    kind: 'stalled',
  };
  const before = raise(
    { problems: [problem], health: { status: 'Degraded' }, objects: [object({})] },
    application({}),
    1000,
  );
  const after = raise(
    { problems: [problem], health: { status: 'Degraded' }, objects: [object({})] },
    application({ status: before }),
    9000,
  );
  assert.deepEqual(after.conditions, before.conditions);
  assert.deepEqual(after.health, before.health);
  assert.equal(after.reconciledAt, '1970-01-01T00:00:09Z');
});

test('objects become the list of resources and the summary', () => {
  const status = raise({
    objects: [
      object({ wave: 2, images: ['b', 'a'], externalUrls: ['http://x/'] }),
      object({
        key: { group: '', kind: 'Namespace', namespace: '', name: 'n' },
        requiresPruning: true,
        sync: 'OutOfSync',
        health: undefined,
      }),
    ],
  });
  assert.deepEqual(status.resources, [
    {
      group: 'apps',
      health: { status: 'Healthy' },
      kind: 'Deployment',
      name: 'x',
      namespace: 'n',
      status: 'Synced',
      syncWave: 2,
      version: 'v1',
    },
    { kind: 'Namespace', name: 'n', requiresPruning: true, status: 'OutOfSync', version: 'v1' },
  ]);
  assert.deepEqual(status.summary, { externalURLs: ['http://x/'], images: ['a', 'b'] });
});

test('history keeps one entry for each deployment, up to its limit', () => {
  const done = (revision: string, startedAtMs: number): Partial<DeliveryStatus> => ({
    operation: {
      request: {
        id: 'a',
        initiatedBy: { kind: 'automation' },
        policy: {},
        retry: { limit: 0, backoff: { baseMs: 1, factor: 1, maxMs: 1, jitter: 0 } },
        healAttempt: 0,
      },
      phase: 'Succeeded',
      message: '',
      startedAtMs,
      finishedAtMs: startedAtMs + 1000,
      retryCount: 0,
      revisions: [revision],
      desiredDigest: 'd',
      results: [],
    },
  });
  let app = application({ spec: { revisionHistoryLimit: 2 } });
  for (const [index, revision] of ['r1', 'r1', 'r2', 'r3'].entries()) {
    const at = revision === 'r1' ? 0 : index * 10_000;
    app = application({
      spec: { revisionHistoryLimit: 2 },
      status: raise(done(revision, at), app, 0),
    });
  }
  assert.deepEqual(
    app.status?.history?.map(({ id, revision }) => [id, revision]),
    [
      [1, 'r2'],
      [2, 'r3'],
    ],
  );
});

test('a status that was written is read again as the same operation', () => {
  const status = raise({
    operation: {
      request: {
        id: 'a',
        initiatedBy: { kind: 'automation' },
        policy: {},
        retry: { limit: 0, backoff: { baseMs: 1, factor: 1, maxMs: 1, jitter: 0 } },
        healAttempt: 2,
      },
      phase: 'Running',
      message: 'waiting',
      startedAtMs: 5000,
      retryCount: 1,
      revisions: ['r1'],
      desiredDigest: 'd',
      results: [
        {
          stepId: 'hook/PreSync/batch/Job/n/migrate',
          key: { group: 'batch', kind: 'Job', namespace: 'n', name: 'migrate' },
          version: 'v1',
          phase: 'PreSync',
          hook: true,
          status: 'Synced',
          state: 'Running',
          message: 'm',
          images: [],
        },
      ],
    },
    objects: [object({})],
  });
  const read = readStatus(application({ status }));
  assert.equal(read?.operation?.results[0]?.stepId, 'hook/PreSync/batch/Job/n/migrate');
  assert.equal(read?.operation?.results[0]?.state, 'Running');
  assert.deepEqual(
    [
      read?.operation?.phase,
      read?.operation?.startedAtMs,
      read?.operation?.retryCount,
      read?.operation?.request.healAttempt,
    ],
    ['Running', 5000, 1, 2],
  );
  assert.deepEqual(read?.inventory, [
    { key: { group: 'apps', kind: 'Deployment', namespace: 'n', name: 'x' }, version: 'v1' },
  ]);
});

function application(part: {
  readonly spec?: Fields;
  readonly metadata?: Fields;
  readonly operation?: Fields;
  readonly status?: ApplicationStatus;
}): Application {
  const object: KubeObject = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'web', namespace: 'argocd', ...part.metadata },
    spec: {
      project: 'default',
      destination: { server: IN_CLUSTER.server, namespace: 'prod' },
      ...(part.spec?.['sources'] ? {} : { source: SOURCE }),
      ...part.spec,
    },
    ...(part.operation === undefined ? {} : { operation: part.operation }),
    ...(part.status === undefined ? {} : { status: part.status }),
  };
  const parsed = parseApplication(object);
  assert.equal(parsed.kind, 'ok');
  return parsed.kind === 'ok' ? parsed.value : assert.fail();
}

function git(name: string) {
  return { kind: 'git', url: SOURCE.repoURL, revision: { kind: 'any', name } };
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

function object(
  part: { readonly [K in keyof ObjectStatus]?: ObjectStatus[K] | undefined },
): ObjectStatus {
  const full = {
    key: { group: 'apps', kind: 'Deployment', namespace: 'n', name: 'x' },
    version: 'v1',
    sync: 'Synced' as const,
    health: { status: 'Healthy' as const },
    hook: false,
    requiresPruning: false,
    requiresConfirmation: false,
    wave: 0,
    images: [],
    externalUrls: [],
    differences: [],
    ...part,
  };
  const { health, ...rest } = full;
  return { ...rest, ...(health === undefined ? {} : { health }) } as ObjectStatus;
}

function raise(part: Partial<DeliveryStatus>, app = application({}), nowMs = 0) {
  const delivery: DeliveryStatus = {
    revisions: [{ id: 'r1', name: 'main' }],
    desiredDigest: 'd',
    sync: 'Synced',
    health: { status: 'Healthy' },
    objects: [],
    problems: [],
    inventory: [],
    renderKinds: ['kustomize'],
    observedAtMs: 0,
    ...part,
  };
  return toApplicationStatus(app, delivery, {
    nowMs,
    controlNamespace: 'argocd',
    operation: undefined,
  });
}

test('a GitHub App without the id of its installation is that of the repository owner', () => {
  const secret = (more: object) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's', labels: { 'argocd.argoproj.io/secret-type': 'repo-creds' } },
    data: Object.fromEntries(
      Object.entries({
        url: 'https://github.com/',
        githubAppID: '1',
        githubAppPrivateKey: 'PEM',
        ...more,
      }).map(([key, value]) => [key, Buffer.from(String(value)).toString('base64')]),
    ),
  });
  const of = (more: object) => {
    const credentials = [readRepositoryCredential(secret(more))].filter((one) => one !== undefined);
    const place = { url: 'https://github.com/Org/app.git', project: '' };
    return repositoryAccess(place, { credentials, trust: NO_TRUST }).auth?.githubApp;
  };
  assert.deepEqual(of({}), { appId: '1', privateKey: 'PEM', installationOwner: 'org' });
  assert.deepEqual(of({ githubAppInstallationID: '7' }), {
    appId: '1',
    privateKey: 'PEM',
    installationId: '7',
  });
});
