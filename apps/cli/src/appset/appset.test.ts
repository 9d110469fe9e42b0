import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { argocdCrds } from '@capstan/argocd-api';
import { createKubeClient } from '@capstan/kube-client';
import { type Sandbox, startSandbox } from '@capstan/kube-sandbox';
import { runCapstan } from '../testing/run-capstan.ts';

const root = mkdtempSync(join(tmpdir(), 'capstan-appset-test-'));
after(() => rmSync(root, { recursive: true, force: true }));

const SET = `apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: set}
spec:
  goTemplate: true
  generators:
  - git: {repoURL: https://git.example.com/a.git, revision: main, directories: [{path: apps/*}]}
  - list: {elements: [{path: {basename: listed, path: x}}]}
  template:
    metadata: {name: '{{.path.basename}}'}
    spec:
      project: default
      source: {repoURL: https://git.example.com/a.git, path: '{{.path.path}}'}
      destination: {server: https://kubernetes.default.svc, namespace: a}
`;

const CONFIG = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: v}\n';

const capstan = (...args: string[]) => runCapstan(args, { cwd: root });

test('tells what a set generates, without a cluster', async () => {
  mkdirSync(join(root, 'repo/apps/one'), { recursive: true });
  writeFileSync(join(root, 'repo/apps/one/a.yaml'), CONFIG);
  writeFileSync(join(root, 'set.yaml'), SET);
  const repo = ['--repo', 'https://git.example.com/a.git=repo'];
  assert.deepEqual(await capstan('appset', 'plan', 'set.yaml', ...repo), {
    code: 0,
    out: [
      '+ listed',
      '    ? its resources are not known: the folder "x" does not exist at HEAD (HEAD)',
      '+ one',
      '    + ConfigMap a',
      '2 to create, 0 to change, 0 to delete\n',
    ].join('\n'),
    err: '',
  });
  const yaml = await capstan('appset', 'plan', 'set.yaml', ...repo, '-o', 'yaml');
  assert.match(yaml.out, /name: one[\s\S]*path: apps\/one/);
});

test('says which folder is missing for a repository', async () => {
  writeFileSync(join(root, 'set.yaml'), SET);
  const { code, err } = await capstan('appset', 'plan', 'set.yaml');
  assert.equal(code, 1);
  assert.match(err, /no folder is given for https:\/\/git\.example\.com\/a\.git/);
});

async function crdsServed(sandbox: Sandbox) {
  const client = createKubeClient(sandbox.transport);
  for (const crd of argocdCrds) await client.create(crd);
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'argocd' } };
  await client.create(namespace);
  const deadline = Date.now() + 10_000;
  const kind = { group: 'argoproj.io', kind: 'Application' };
  while (Date.now() < deadline) {
    const found = await client.list(kind, { namespace: 'argocd' }).catch(() => undefined);
    if (found !== undefined) return client;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('the CRDs are not served');
}

test('tells what a set would change on a cluster, and changes nothing', async () => {
  await using sandbox = await startSandbox();
  const client = await crdsServed(sandbox);
  const apiVersion = 'argoproj.io/v1alpha1';
  const project = {
    apiVersion,
    kind: 'AppProject',
    metadata: { name: 'default', namespace: 'argocd' },
    spec: {},
  };
  await client.create(project);
  const set = await client.create({
    apiVersion,
    kind: 'ApplicationSet',
    metadata: { name: 'set', namespace: 'argocd' },
    spec: {
      generators: [],
      template: { metadata: { name: 'x' }, spec: { project: '', destination: {} } },
    },
  });
  const owner = {
    apiVersion,
    kind: 'ApplicationSet',
    name: 'set',
    uid: set.metadata.uid ?? '',
    controller: true,
  };
  mkdirSync(join(root, 'repo/old'), { recursive: true });
  const old = `${CONFIG.replace('v}', 'w}')}---\n${CONFIG.replace('name: a', 'name: b')}`;
  writeFileSync(join(root, 'repo/old/a.yaml'), old);
  const source = { repoURL: 'https://git.example.com/a.git', path: 'old' };
  const spec = { project: 'default', source, destination: { namespace: 'a' } };
  const resource = { group: 'apps', kind: 'Deployment', namespace: 'a', name: 'web' };
  for (const name of ['one', 'gone']) {
    const metadata = { name, namespace: 'argocd', ownerReferences: [owner] };
    const status = { resources: [resource], sync: { status: 'Synced' } };
    await client.create({ apiVersion, kind: 'Application', metadata, spec, status });
  }
  writeFileSync(join(root, 'set.yaml'), SET);
  const repo = ['--repo', 'https://git.example.com/a.git=repo'];
  const { code, out, err } = await capstan(
    'appset',
    'plan',
    'set.yaml',
    ...repo,
    '--kubeconfig',
    sandbox.kubeconfigPath,
  );
  assert.equal(err, '');
  assert.equal(code, 0);
  assert.match(
    out,
    /^\+ listed\n {4}\? its .*\n~ one \{.*"path":"apps\/one".*\}\n {4}~ ConfigMap a\n {4}- ConfigMap b\n- gone\n {4}- apps\/Deployment a\/web\n1 to create, 1 to change, 1 to delete\n$/,
  );
  const listed = await client.find({
    apiVersion,
    kind: 'Application',
    namespace: 'argocd',
    name: 'listed',
  });
  assert.equal(listed, undefined);
  await client.close();
});
