import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { loadChart, packChart } from '@capstan/kube-helm';
import { memoryTree } from '@capstan/lib-files';
import { createGitHost } from '@capstan/lib-git';
import { runCapstan } from '../testing/run-capstan.ts';

// Repositories and charts on this machine, fetched as any other: a real git server, and a chart repository over HTTP.

const root = realpathSync(mkdtempSync(join(tmpdir(), 'capstan-remote-test-')));
const CM = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n';
let server: Server;
let url: string;
const asked: string[] = [];

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function git(...args: string[]): void {
  const author = ['-c', 'user.name=a', '-c', 'user.email=a@example.com'];
  execFileSync('git', [...author, ...args], { cwd: join(root, 'origin') });
}

before(async () => {
  write('origin/base/kustomization.yaml', 'resources: [../shared]\nnamePrefix: one-\n');
  write('origin/shared/kustomization.yaml', 'resources: [cm.yaml]\n');
  write('origin/shared/cm.yaml', CM);
  git('init', '--quiet', '--initial-branch=main');
  git('add', '.');
  git('commit', '--quiet', '-m', 'one');
  git('tag', 'v1');
  write('origin/base/kustomization.yaml', 'resources: [../shared]\nnamePrefix: two-\n');
  git('commit', '--quiet', '-am', 'two');
  const chart = packChart(
    loadChart(
      memoryTree({
        'Chart.yaml': 'apiVersion: v2\nname: c\nversion: 1.2.3\n',
        'values.yaml': 'level: low\nother: kept\n',
        'templates/cm.yaml':
          'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata: {{ toJson .Values }}\n',
      }),
    ),
  );
  const index =
    'apiVersion: v1\nentries:\n  c:\n  - {name: c, version: 1.2.3, apiVersion: v2, urls: [c-1.2.3.tgz]}\n';
  const host = createGitHost({ find: () => ({ folder: join(root, 'origin/.git') }) });
  server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    if (path === '/charts/index.yaml') response.end(index);
    else if (path === '/charts/c-1.2.3.tgz') response.end(chart);
    else if (path === '/files/cm.yaml') response.end(CM);
    else if (path === '/files/moved') response.writeHead(302, { location: 'cm.yaml' }).end();
    else if (path === '/files/metadata') {
      response.writeHead(302, { location: 'http://169.254.169.254/latest' }).end();
    } else host(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
  rmSync(root, { recursive: true, force: true });
});

const capstan = (...args: string[]) => runCapstan(['build', ...args], { cwd: root });

const named = (name: string) => CM.replace('name: a', `name: ${name}`);

test('a folder of a repository is built at the ref that the URL names', async () => {
  const at = (ref: string) => capstan(`${url}/team/app.git//base${ref}`);
  assert.deepEqual(await at(''), { code: 0, out: named('two-a'), err: '' });
  assert.deepEqual(await at('?ref=v1'), { code: 0, out: named('one-a'), err: '' });
  assert.deepEqual(await at('?version=v1&submodules=false&timeout=20s'), {
    code: 0,
    out: named('one-a'),
    err: '',
  });
  const missing = await at('?ref=nowhere');
  assert.equal(missing.code, 1);
  assert.match(missing.err, /nowhere/);
});

test('a kustomization takes resources from a repository, and a file from a web server', async () => {
  write(
    'app/kustomization.yaml',
    `resources:\n- ${url}/team/app.git//base?ref=v1\n- ${url}/files/cm.yaml\nnameSuffix: -x\nbuildMetadata: [originAnnotations]\n`,
  );
  const { code, out, err } = await capstan('app');
  assert.deepEqual({ code, err }, { code: 0, err: '' });
  assert.match(out, /name: one-a-x\n/);
  assert.match(out, /path: shared\/cm.yaml\n {6}repo: http:\/\/127.*\n {6}ref: v1\n/);
  assert.match(out, /name: a-x\n/);
});

test('a chart is pulled from its repository, and nothing of it stays', async () => {
  write(
    'chart/kustomization.yaml',
    `helmCharts:\n- name: c\n  repo: ${url}/charts\n  version: 1.2.3\n  releaseName: r\n  valuesInline: {level: high}\n`,
  );
  assert.deepEqual(await capstan('chart', '--enable-helm'), {
    code: 0,
    out: 'apiVersion: v1\ndata:\n  level: high\n  other: kept\nkind: ConfigMap\nmetadata:\n  name: r\n',
    err: '',
  });
  assert.deepEqual(readdirSync(join(root, 'chart')), ['kustomization.yaml']);
});

test('redirects of files are followed, but not to a link-local address', async () => {
  write('moved/kustomization.yaml', `resources: ["${url}/files/moved"]\n`);
  assert.deepEqual(await capstan('moved'), { code: 0, out: CM, err: '' });
  write('metadata/kustomization.yaml', `resources: ["${url}/files/metadata"]\n`);
  const { code, err } = await capstan('metadata');
  assert.equal(code, 1);
  assert.match(err, /'169\.254\.169\.254' is a local or link-local address/);
});

test('a link-local address is refused', async () => {
  const { code, err } = await capstan('https://169.254.169.254/latest//meta-data');
  assert.equal(code, 1);
  assert.match(err, /is a local or link-local address/);
});
