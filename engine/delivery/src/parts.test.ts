import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '@capstan/kube-object';
import { recordTrace, traceHolds } from '@capstan/lib-files';
import { findRefusal, isNamespaceAllowed } from './guard.ts';
import { externalUrlsOf, imagesOf } from './object-info.ts';
import { ChangeJudge } from './source-watches.ts';
import { MemorySources } from './testing/memory-sources.ts';
import type { Guard, NamespaceRule } from './types.ts';

const guard = (part: Partial<Guard>): Guard => ({
  name: 'team',
  clusterKinds: { allowed: [], denied: [] },
  namespacedKinds: { denied: [] },
  ...part,
});
const key = (group: string, kind: string, namespace = 'team-a') => ({
  group,
  kind,
  namespace,
  name: 'x',
});

test('cluster-scoped kinds need leave, namespaced ones may be denied', () => {
  const open = guard({
    clusterKinds: { allowed: [{ group: '', kind: 'Namespace', name: 'team-*' }], denied: [] },
  });
  const cluster = { namespaced: false };
  const inside = { namespaced: true };
  assert.equal(
    findRefusal(open, { ...key('', 'Namespace', ''), name: 'team-b' }, cluster),
    undefined,
  );
  assert.match(
    findRefusal(open, key('', 'Namespace', ''), cluster) ?? '',
    /resource :Namespace is not permitted in project team/,
  );
  assert.match(
    findRefusal(guard({}), key('rbac', 'ClusterRole', ''), cluster) ?? '',
    /not permitted/,
  );
  assert.equal(findRefusal(guard({}), key('apps', 'Deployment'), inside), undefined);
  const denied = guard({ namespacedKinds: { denied: [{ group: '', kind: 'Resource*' }] } });
  assert.match(findRefusal(denied, key('', 'ResourceQuota'), inside) ?? '', /not permitted/);
  const only = guard({ namespacedKinds: { allowed: [{ group: 'apps', kind: '*' }], denied: [] } });
  assert.match(findRefusal(only, key('', 'ConfigMap'), inside) ?? '', /not permitted/);
});

test('namespaces are globs; the first denial ends the search', () => {
  const here = { allowed: true, denied: false, named: true };
  const elsewhere = { allowed: false, denied: false, named: false };
  const notHere = { allowed: false, denied: true, named: false };
  const allowed = (namespace: string, ...namespaces: NamespaceRule[]) =>
    isNamespaceAllowed(guard({ namespaces }), namespace);
  assert.ok(allowed('team-web', { pattern: 'team-*', cluster: here }));
  assert.ok(!allowed('web', { pattern: 'team-*', cluster: here }));
  assert.ok(!allowed('team-web', { pattern: 'team-*', cluster: elsewhere }));
  const notSystem = { pattern: '!kube-system', cluster: here };
  assert.ok(allowed('anything', notSystem));
  assert.ok(!allowed('kube-system', notSystem, { pattern: '*', cluster: here }));
  assert.ok(
    allowed(
      'kube-system',
      { pattern: '!kube-system', cluster: elsewhere },
      { pattern: '*', cluster: here },
    ),
  );
  assert.ok(!allowed('web', { pattern: '*', cluster: notHere }, { pattern: '*', cluster: here }));
  assert.ok(allowed('b', { pattern: '{a,b}', cluster: here }));
  assert.ok(isNamespaceAllowed(guard({}), 'anything'));
  const outside = guard({ namespaces: [{ pattern: 'team-*', cluster: here }] });
  assert.match(
    findRefusal(outside, key('', 'ConfigMap', 'other'), { namespaced: true }) ?? '',
    /namespace other is not permitted/,
  );
});

test('images are found in pods, templates and cron jobs', () => {
  const pod = { initContainers: [{ image: 'b' }], containers: [{ image: 'a' }, { image: 'a' }] };
  const object = (kind: string, spec: KubeObject['spec']): KubeObject => ({
    apiVersion: 'v1',
    kind,
    metadata: {},
    spec,
  });
  assert.deepEqual(imagesOf(object('Pod', pod)), ['a', 'b']);
  assert.deepEqual(imagesOf(object('Deployment', { template: { spec: pod } })), ['a', 'b']);
  assert.deepEqual(
    imagesOf(object('CronJob', { jobTemplate: { spec: { template: { spec: pod } } } })),
    ['a', 'b'],
  );
});

test('addresses of an Ingress are told with their scheme and path', () => {
  const ingress: KubeObject = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {},
    spec: {
      tls: [{ hosts: ['a.example'] }],
      rules: [
        { host: 'a.example', http: { paths: [{ path: '/' }, { path: '/api' }] } },
        { host: 'b.example', http: { paths: [{ path: '/*' }] } },
      ],
    },
  };
  assert.deepEqual(externalUrlsOf(ingress), [
    'http://b.example/',
    'https://a.example/',
    'https://a.example/api',
  ]);
});

test('a commit touches a render when it changes what was read, listed or missed', async () => {
  const sources = new MemorySources();
  const spec = { kind: 'git' as const, url: 'u', revision: { kind: 'any' as const, name: 'HEAD' } };
  const judge = new ChangeJudge(sources);
  const files = { 'a/x.yaml': '1', 'b/y.yaml': '1' };
  sources.push('u', files);
  const snapshot = await sources.fetchSnapshot(spec);
  const { tree, trace } = recordTrace(snapshot.files);
  tree.readDirectory('a');
  tree.readFile('a/x.yaml');
  tree.stat('c/z.yaml');
  const touches = async (next: Record<string, string>) => {
    sources.push('u', next);
    return judge.touches({ snapshot, trace }, await sources.fetchSnapshot(spec));
  };
  assert.equal(await touches({ ...files, 'b/y.yaml': '2', 'b/new.yaml': '1' }), false);
  assert.equal(await touches({ ...files, 'a/x.yaml': '2' }), true);
  assert.equal(await touches({ ...files, 'a/new.yaml': '1' }), true);
  assert.equal(await touches({ 'b/y.yaml': '1' }), true);
  assert.equal(await touches({ ...files, 'c/z.yaml': '1' }), true);
  assert.equal(judge.touches(undefined, snapshot), true);
});

test('whether a commit touches a render is never judged too narrowly, and exactly for files and listings', async () => {
  const spec = { kind: 'git' as const, url: 'u', revision: { kind: 'any' as const, name: 'HEAD' } };
  const before: Record<string, string> = { 'a/x.yaml': '1', 'b/y.yaml': '2', 'c/d/z.yaml': '3' };
  const cases: readonly Record<string, string>[] = [
    { ...before, 'b/y.yaml': 'other' },
    { ...before, 'a/x.yaml': 'other' },
    { ...before, 'a/new.yaml': '' },
    { ...before, 'a/deep/new.yaml': '' },
    { ...before, 'c/d/z.yaml': 'other', 'c/d/more': '' },
    { ...before, 'c/none': '' },
    { ...before, 'gone/new': '' },
    { ...before, 'e/f': '' },
    { ...before, e: '' },
    { 'a/x.yaml': '1', 'b/y.yaml': '2' },
    { 'a/x.yaml': '1', b: 'a file', 'c/d/z.yaml': '3' },
    { 'b/y.yaml': '2', 'c/d/z.yaml': '3' },
    { ...before, 'a/x.yaml/below': '' },
  ];
  for (const after of cases) {
    const sources = new MemorySources();
    sources.push('u', before);
    const snapshot = await sources.fetchSnapshot(spec);
    const { tree, trace } = recordTrace(snapshot.files);
    for (const file of ['a/x.yaml', 'c/none', 'b']) tree.readFile(file);
    for (const folder of ['a', 'gone']) tree.readDirectory(folder);
    for (const place of ['c/d', 'e']) tree.stat(place);
    if ('a/x.yaml/below' in after) delete after['a/x.yaml'];
    sources.push('u', after);
    const next = await sources.fetchSnapshot(spec);
    const touched = new ChangeJudge(sources).touches({ snapshot, trace }, next);
    assert.equal(touched, !traceHolds(trace, next.files), Object.keys(after).join(' '));
  }
});
