/** What projects permit (documentation: "Projects"); also rows 43 and 44 of the security cases. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AppProject, AppProjectSpec } from '@capstan/argocd-api';
import { findRefusal, isNamespaceAllowed } from '@capstan/engine-delivery';
import {
  isClusterPermitted,
  isNamespacePermitted,
  isSourcePermitted,
  type KnownCluster,
  toGuard,
} from './project-guard.ts';
import { findServiceAccount, inheritGlobal } from './project-view.ts';

const PROD: KnownCluster = { name: 'prod', server: 'https://prod.example.com' };

function project(spec: AppProjectSpec, name = 'team'): AppProject {
  return { apiVersion: 'argoproj.io/v1alpha1', kind: 'AppProject', metadata: { name }, spec };
}

describe('sources', () => {
  const rows: readonly (readonly [readonly string[], string, boolean])[] = [
    [['*'], 'https://git.example.com/org/a.git', true],
    [['https://git.example.com/org/*'], 'https://git.example.com/org/a', true],
    [['https://git.example.com/org/*'], 'https://git.example.com/org/a/b', false],
    [['https://git.example.com/**'], 'https://git.example.com/org/a/b', true],
    [['https://git.example.com/org/a.git'], 'https://GIT.example.com/org/a', true],
    [['!https://git.example.com/secret/*'], 'https://git.example.com/org/a', true],
    [['!https://git.example.com/secret/*'], 'https://git.example.com/secret/a', false],
    [['*', '!https://git.example.com/secret/**'], 'https://git.example.com/secret/a', false],
    [['!https://git.example.com/secret/**', '*'], 'https://git.example.com/secret/a', false],
    [['https://git.example.com/{a,b}'], 'https://git.example.com/b', true],
    [['oci://registry.example.com/charts'], 'oci://registry.example.com/charts', true],
    [[], 'https://git.example.com/org/a', false],
  ];
  for (const [sourceRepos, url, expected] of rows) {
    test(`${sourceRepos.join(' ')} on ${url}`, () =>
      assert.equal(isSourcePermitted({ sourceRepos }, url), expected));
  }
});

describe('destinations', () => {
  type Destinations = NonNullable<AppProjectSpec['destinations']>;
  const rows: readonly (readonly [Destinations, namespace: string, boolean])[] = [
    [[{ server: '*', namespace: '*' }], 'any', true],
    [[{ server: 'https://prod.example.com', namespace: 'team-*' }], 'team-a', true],
    [[{ server: 'https://prod.example.com', namespace: 'team-*' }], 'other', false],
    [[{ name: 'prod', namespace: 'team' }], 'team', true],
    [[{ name: 'test', namespace: 'team' }], 'team', false],
    [[{ server: '!https://prod.example.com', namespace: '*' }], 'team', false],
    [[{ server: '!https://test.example.com', namespace: '*' }], 'team', true],
    [
      [
        { name: '!prod', namespace: 'kube-*' },
        { server: '*', namespace: '*' },
      ],
      'kube-system',
      false,
    ],
    [
      [
        { server: '*', namespace: '!kube-system' },
        { server: '*', namespace: '*' },
      ],
      'kube-system',
      false,
    ],
    [[{ server: '*', namespace: '!kube-system' }], 'team', true],
    [[{ server: 'https://prod.*.com', namespace: '{a,b}' }], 'b', true],
    [[{ server: '*' }], 'team', false],
  ];
  for (const [destinations, namespace, expected] of rows) {
    test(`${JSON.stringify(destinations)} on ${namespace}`, () => {
      const guard = toGuard('team', { destinations }, PROD);
      assert.equal(isNamespaceAllowed(guard, namespace), expected);
    });
  }

  test('only clusters of the project, when that is asked', () => {
    const strict = project({ permitOnlyProjectScopedClusters: true });
    assert.ok(!isClusterPermitted(strict, PROD, [PROD]));
    assert.ok(isClusterPermitted(strict, PROD, [{ ...PROD, project: 'team' }]));
    assert.ok(isClusterPermitted(project({}), PROD, [PROD]));
  });
});

describe('kinds', () => {
  const any = [{ server: '*', namespace: '*' }];
  const refusal = (
    spec: AppProjectSpec,
    kind: readonly [group: string, kind: string, name?: string],
    namespace = '',
  ) => {
    const [group, name, object = 'x'] = kind;
    const guard = toGuard('team', { destinations: any, ...spec }, PROD);
    const key = { group, kind: name, namespace, name: object };
    return findRefusal(guard, key, { namespaced: namespace !== '' });
  };

  test('nothing of the cluster without leave', () => {
    assert.match(refusal({}, ['rbac', 'ClusterRole']) ?? '', /rbac:ClusterRole is not permitted/);
    const spec = { clusterResourceWhitelist: [{ group: '', kind: 'Namespace', name: 'team-*' }] };
    assert.equal(refusal(spec, ['', 'Namespace', 'team-a']), undefined);
    assert.match(refusal(spec, ['', 'Namespace', 'other']) ?? '', /not permitted/);
    const denied = {
      ...spec,
      clusterResourceBlacklist: [{ group: '', kind: 'Namespace', name: 'team-x' }],
    };
    assert.match(refusal(denied, ['', 'Namespace', 'team-x']) ?? '', /not permitted/);
    assert.equal(refusal(denied, ['', 'Namespace', 'team-y']), undefined);
  });

  test('an absent list of namespaced kinds allows all, an empty one none', () => {
    assert.equal(refusal({}, ['apps', 'Deployment'], 'a'), undefined);
    assert.match(
      refusal({ namespaceResourceWhitelist: [] }, ['apps', 'Deployment'], 'a') ?? '',
      /not permitted/,
    );
    const spec = { namespaceResourceBlacklist: [{ group: '*', kind: 'Secret*' }] };
    assert.match(refusal(spec, ['', 'Secret'], 'a') ?? '', /not permitted/);
  });

  test('a cluster of which some namespaces are managed', () => {
    const cluster = { ...PROD, namespaces: ['a'] };
    const spec = { destinations: any, clusterResourceWhitelist: [{ group: '*', kind: '*' }] };
    const guard = toGuard('team', spec, cluster);
    const of = (kind: string, namespace: string) =>
      findRefusal(
        guard,
        { group: '', kind, namespace, name: 'x' },
        { namespaced: namespace !== '' },
      );
    assert.equal(of('ConfigMap', 'a'), undefined);
    assert.match(of('ConfigMap', 'b') ?? '', /namespace "b" for ConfigMap "x" is not managed/);
    assert.match(of('Namespace', '') ?? '', /can not be managed when in namespaced mode/);
  });
});

describe('namespaces of applications', () => {
  const rows: readonly (readonly [readonly string[], string, boolean])[] = [
    [[], 'argocd', true],
    [[], 'team', false],
    [['team'], 'team', true],
    [['team-*'], 'team-a', true],
    [['/^team-[ab]$/'], 'team-b', true],
    [['/^team-[ab]$/'], 'team-c', false],
    [['!team'], 'other', false],
    [['/^((?!secret).)*$/'], 'team', true],
    [['/^((?!secret).)*$/'], 'my-secret', false],
    [['//'], 'team', false],
    [['/(?=/'], 'team', false],
  ];
  for (const [sourceNamespaces, namespace, expected] of rows) {
    test(`${sourceNamespaces.join(' ')} on ${namespace}`, () =>
      assert.equal(
        isNamespacePermitted(project({ sourceNamespaces }), namespace, 'argocd'),
        expected,
      ));
  }
});

test('a project inherits from global ones by its labels', () => {
  const global = project({
    sourceRepos: ['https://shared/*'],
    clusterResourceBlacklist: [{ group: '*', kind: 'ClusterRole' }],
    syncWindows: [{ kind: 'deny', schedule: '0 0 * * *', duration: '1h' }],
  });
  const labelled = {
    ...project({ sourceRepos: ['https://own/*'] }),
    metadata: { name: 'team', labels: { tier: 'app' } },
  };
  const globals = [
    {
      projectName: 'global',
      labelSelector: { matchExpressions: [{ key: 'tier', operator: 'Exists' }] },
    },
  ];
  const find = (name: string) => (name === 'global' ? global : undefined);
  const { spec } = inheritGlobal(labelled, globals, find);
  assert.deepEqual(spec.sourceRepos, ['https://own/*', 'https://shared/*']);
  assert.equal(spec.syncWindows?.length, 1);
  assert.equal(spec.namespaceResourceWhitelist, undefined);
  const other = project({ sourceRepos: [] });
  assert.equal(inheritGlobal(other, globals, find), other);
});

describe('service accounts of destinations', () => {
  const app = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'web', namespace: 'apps' },
    spec: { project: 'team', destination: { server: PROD.server, namespace: 'team-a' } },
  };
  const find = (namespace: string, defaultServiceAccount: string) =>
    findServiceAccount(
      project({
        destinationServiceAccounts: [
          { server: 'https://prod*', namespace, defaultServiceAccount },
          { server: '*', namespace: '*', defaultServiceAccount: 'fallback' },
        ],
      }),
      app,
      PROD,
    );
  test('the first entry that fits, in the namespace of the destination or its own', () => {
    assert.deepEqual(find('team-*', 'deployer'), { namespace: 'team-a', name: 'deployer' });
    assert.deepEqual(find('*', 'ops:deployer'), { namespace: 'ops', name: 'deployer' });
    assert.deepEqual(find('other', 'deployer'), { namespace: 'team-a', name: 'fallback' });
    assert.equal(findServiceAccount(project({}), app, PROD), undefined);
  });
  test('a glob that cannot be read fails, rather than that a later entry counts', () =>
    assert.throws(() => find('{team', 'deployer'), {
      code: 'IMPERSONATION_INVALID',
      message:
        'invalid glob pattern for destination namespace: glob: syntax error at 5: unclosed `{`',
    }));
  for (const name of ['*', 'a/b', '!a', ' ']) {
    test(`${JSON.stringify(name)} is no account`, () =>
      assert.throws(() => find('*', name), { code: 'IMPERSONATION_INVALID' }));
  }
});
