import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { argocdCrds } from '@capstan/argocd-api';
import { createKubeClient } from '@capstan/kube-client';
import { type Sandbox, startSandbox } from '@capstan/kube-sandbox';
import { main } from '../main.ts';

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

async function capstan(...args: string[]) {
  let out = '';
  let err = '';
  const code = await main(args, {
    cwd: root,
    env: {},
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    readInput: async () => new Uint8Array(),
    signal: new AbortController().signal,
  });
  return { code, out, err };
}

test('tells what a set generates, without a cluster', async () => {
  mkdirSync(join(root, 'repo/apps/one'), { recursive: true });
  writeFileSync(join(root, 'set.yaml'), SET);
  const repo = ['--repo', 'https://git.example.com/a.git=repo'];
  assert.deepEqual(await capstan('appset', 'plan', 'set.yaml', ...repo), {
    code: 0,
    out: '+ listed\n+ one\n2 to create, 0 to change, 0 to delete\n',
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
  const spec = { project: 'default', source: { repoURL: 'x' }, destination: { namespace: 'a' } };
  for (const name of ['one', 'gone']) {
    const metadata = { name, namespace: 'argocd', ownerReferences: [owner] };
    await client.create({ apiVersion, kind: 'Application', metadata, spec });
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
    /^\+ listed\n~ one \{.*"path":"apps\/one".*\}\n- gone\n1 to create, 1 to change, 1 to delete\n$/,
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
