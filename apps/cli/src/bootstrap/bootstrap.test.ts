import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { type ControlPlane, startControlPlane } from '@capstan/apps-server';
import { createKubeClient, type KubeClient } from '@capstan/kube-client';
import { type Sandbox, startSandbox } from '@capstan/kube-sandbox';
import { createGitHost, initMirror } from '@capstan/lib-git';
import { main } from '../main.ts';

const run = promisify(execFile);
const PASSWORD = 'canary-p@ss';
const PATCHES = `patches:
- target: {kind: Deployment, name: (capstan|kustomize-controller|helm-controller)}
  patch: |
    - op: add
      path: /spec/template/spec/containers/0/args/-
      value: --no-cross-namespace-refs=true
`;
let folder: string;
let sandbox: Sandbox;
let client: KubeClient;
let control: ControlPlane;
let url: string;
const closing: (() => unknown)[] = [];

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bootstrap-'));
  closing.push(() => rmSync(folder, { recursive: true }));
  const origin = join(folder, 'origin.git');
  await initMirror(origin);
  const host = createGitHost({
    find: (path) => (path === 'team/fleet.git' ? { folder: origin } : undefined),
    basicAuth: { username: 'git', password: PASSWORD },
    onPush: () => control.notifyPush(url),
  });
  const server = createServer(host);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/team/fleet.git`;
  sandbox = await startSandbox({ dataDir: join(folder, 'cluster') });
  closing.push(() => sandbox.close());
  client = createKubeClient(sandbox.transport);
  closing.push(() => client.close());
  control = await startControlPlane({
    client: createKubeClient(sandbox.transport),
    clusterName: 'sandbox',
    cacheFolder: join(folder, 'cache'),
    pageFolder: folder,
    gitUrl: null,
    version: '0.0.0',
    log: () => undefined,
  });
  closing.push(() => control.close());
});
after(async () => {
  for (const close of closing.toReversed()) await close();
});

async function bootstrap(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const code = await main(['bootstrap', 'git', ...args], {
    cwd: folder,
    env: {},
    out: (text) => (out += text),
    err: (text) => (err += text),
    readInput: async () => new Uint8Array(),
    signal: new AbortController().signal,
  });
  return { code, out, err };
}

test('an empty repository gets the manifests, the cluster follows it and is managed from Git from then on', async () => {
  const args = ['--url', url, '--path', './clusters/one/', '--kubeconfig', sandbox.kubeconfigPath];
  const first = await bootstrap(...args, '-p', PASSWORD, '--allow-insecure-http');
  assert.equal(first.code, 0, first.out + first.err);
  assert.match(first.out, /✔ committed and pushed manifests to "main" \("[0-9a-f]{40}"\)/);
  assert.match(first.out, /✔ Kustomization reconciled successfully/);
  assert.match(first.out, /✔ capstan: deployment ready\n✔ all components are healthy\n$/);
  const clone = join(folder, 'clone');
  const authorized = url.replace('//', `//git:${encodeURIComponent(PASSWORD)}@`);
  await run('git', ['clone', '-q', authorized, clone]);
  const at = (name: string) => join(clone, 'clusters/one', name);
  for (const file of ['gotk-components.yaml', 'gotk-sync.yaml', 'kustomization.yaml'])
    assert.equal(readFileSync(at(`flux-system/${file}`), 'utf8').includes(PASSWORD), false);
  const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'flux-system' };
  const live = await client.get({ ...deployment, name: 'capstan' });
  assert.equal(live.metadata.labels?.['kustomize.toolkit.fluxcd.io/name'], 'flux-system');

  writeFileSync(at('extra.yaml'), 'apiVersion: v1\nkind: Namespace\nmetadata: {name: extra}\n');
  const git = (...args: string[]) => run('git', ['-C', clone, ...args]);
  await git('add', '.');
  await git('-c', 'user.name=a', '-c', 'user.email=b', 'commit', '-q', '-m', 'Extra');
  await git('push', '-q');
  const namespace = { apiVersion: 'v1', kind: 'Namespace', name: 'extra' };
  for (let i = 0; i < 600 && (await client.find(namespace)) === undefined; i++)
    await new Promise((resolve) => setTimeout(resolve, 50));
  await client.get(namespace);

  const again = await bootstrap(...args, '-p', PASSWORD, '--allow-insecure-http');
  assert.equal(again.code, 0, again.err);
  assert.match(again.out, /✔ manifests are up to date in "main"/);

  const patched = `${readFileSync(at('flux-system/kustomization.yaml'), 'utf8')}${PATCHES}`;
  const patch = async (text: string) => {
    writeFileSync(at('flux-system/kustomization.yaml'), text);
    await git('-c', 'user.name=a', '-c', 'user.email=b', 'commit', '-aqm', 'Patch');
    await git('push', '-q');
    return bootstrap(...args, '-p', PASSWORD, '--allow-insecure-http', '--image', 'i:2');
  };
  const lost = await patch(patched.replace('capstan|', ''));
  assert.equal(lost.code, 1);
  assert.match(
    lost.err,
    /for the Deployment \(kustomize-controller\|helm-controller\), which is not there\n {2}let it be for capstan/,
  );
  const newer = await patch(patched);
  assert.equal(newer.code, 0, newer.out + newer.err);
  assert.match(newer.out, /✔ committed and pushed[\s\S]*✔ components are installed, and follow/);
  await git('pull', '-q');
  assert.equal(readFileSync(at('flux-system/kustomization.yaml'), 'utf8'), patched);
  const deployed = await client.get({ ...deployment, name: 'capstan' });
  assert.match(JSON.stringify(deployed['spec']), /"image":"i:2"/);
  assert.match(JSON.stringify(deployed['spec']), /"--no-cross-namespace-refs=true"/);
  const managers = deployed.metadata.managedFields?.map(({ manager }) => manager);
  assert.ok(managers?.includes('kustomize-controller'));

  const elsewhere = [...args.slice(0, 3), './clusters/two', ...args.slice(4)];
  const other = await bootstrap(...elsewhere, '-p', PASSWORD, '--allow-insecure-http');
  assert.equal(other.code, 1);
  assert.match(
    other.err,
    /"\.\/clusters\/two"\) would overwrite path \("\.\/clusters\/one"\) of existing Kustomization/,
  );
});

test('what cannot be done is said before anything is written', async () => {
  const cases: readonly (readonly [string[], RegExp])[] = [
    [[], /--url is missing/],
    [['--url', url, '-p', PASSWORD], /readable over http\n {2}use https/],
    [['--url', 'ssh://git@host/x'], /--private-key-file and --known-hosts-file\n.*ssh-keyscan/],
    [['--url', url, '--path', '../x'], /leads out of the repository/],
    [['--url', 'file:///etc'], /protocol file is not allowed/],
    [
      [
        '--url',
        url,
        '-p',
        'wrong',
        ...['--path', 'clusters/one'],
        '--allow-insecure-http',
        '--kubeconfig',
        sandbox.kubeconfigPath,
      ],
      /refused the credentials/,
    ],
  ];
  for (const [args, expected] of cases) {
    const { code, err } = await bootstrap(...args);
    assert.equal(code, 1);
    assert.match(err, expected);
    assert.equal(err.includes(PASSWORD), false);
  }
});

test('--export prints the manifests and touches nothing', async () => {
  const { code, out } = await bootstrap('--url', 'https://git.example.com/a.git', '--export');
  assert.equal(code, 0);
  assert.match(out, /kind: GitRepository\n[\s\S]*url: https:\/\/git\.example\.com\/a\.git\n/);
});
