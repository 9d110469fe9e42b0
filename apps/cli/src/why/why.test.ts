import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { main } from '../main.ts';

const root = realpathSync(mkdtempSync(join(tmpdir(), 'capstan-why-test-')));
after(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function commit(message: string, author: string): void {
  const identity = [
    '-c',
    `user.name=${author}`,
    '-c',
    `user.email=${author.toLowerCase()}@example.org`,
  ];
  execFileSync('git', ['-C', root, 'add', '-A']);
  execFileSync('git', ['-C', root, ...identity, 'commit', '-q', '-m', message]);
}

async function why(...args: string[]): Promise<string> {
  let text = '';
  const print = (part: string) => {
    text += part;
  };
  await main(['why', ...args], {
    cwd: root,
    env: {},
    out: print,
    err: print,
    readInput: async () => new Uint8Array(),
    signal: new AbortController().signal,
  });
  return text.replace(/\b[0-9a-f]{12} \d{4}-\d\d-\d\d/g, 'COMMIT DATE');
}

const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 1
  template:
    spec:
      containers:
        - name: web
          image: nginx:1
`;

before(() => {
  execFileSync('git', ['init', '-q', root]);
  write('base/web.yaml', DEPLOYMENT);
  write('base/kustomization.yaml', 'resources: [web.yaml]\n');
  write(
    'secret/secret.yaml',
    'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  token: hunter2\n',
  );
  commit('Add the base', 'Ada');
  write(
    'prod/kustomization.yaml',
    'resources:\n  - ../base\npatches:\n  - path: scale.yaml\nimages:\n  - name: nginx\n    newTag: "2"\n',
  );
  write(
    'prod/scale.yaml',
    'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 5\n',
  );
  commit('Scale production', 'Grace');
  write('chart/Chart.yaml', 'apiVersion: v2\nname: chart\nversion: 1.0.0\n');
  write('chart/values.yaml', 'replicas: 2\nimage: nginx\n');
  write(
    'chart/templates/web.yaml',
    'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ .Release.Name }}\nspec:\n  replicas: {{ .Values.replicas }}\n',
  );
  write('chart/prod.yaml', 'replicas: 7\n');
  commit('Add the chart', 'Edsger');
});

test('a field leads through a kustomization to the patch, the statement or the resource, and its commit', async () => {
  assert.equal(
    await why('Deployment/web', 'spec.replicas', 'prod'),
    `Deployment/web spec.replicas = 5
  scale.yaml:6
    COMMIT DATE Grace <grace@example.org>: Scale production
`,
  );
  assert.equal(
    await why('deployments/web', 'spec.template.spec.containers[name=web].name', 'prod'),
    `Deployment/web spec.template.spec.containers[0].name = "web"
  ../base/web.yaml:10
    COMMIT DATE Ada <ada@example.org>: Add the base
`,
  );
  assert.match(
    await why('Deployment/web', '.spec.template.spec.containers[0].image', 'prod'),
    /= "nginx:2"\n {2}kustomization\.yaml:\d+ \(images\[0\]\)\n {4}COMMIT DATE Grace/,
  );
});

test('a field leads through a chart to the template and to the values it names', async () => {
  assert.equal(
    await why('Deployment/release-name', 'spec.replicas', 'chart', '-f', 'chart/prod.yaml'),
    `Deployment/release-name spec.replicas = 7
  templates/web.yaml:6 (template)
    COMMIT DATE Edsger <edsger@example.org>: Add the chart
  prod.yaml:1 (value replicas)
    COMMIT DATE Edsger <edsger@example.org>: Add the chart
`,
  );
  assert.match(
    await why('Deployment/release-name', 'spec.replicas', 'chart'),
    /= 2\n.*\n.*\n {2}values\.yaml:1 \(value replicas \(default\)\)/,
  );
});

test('plain files, uncommitted lines, Secrets and what is not there', async () => {
  write('plain/web.yaml', `# two\n---\n${DEPLOYMENT}`);
  assert.equal(
    await why('Deployment/web', 'spec.replicas', 'plain'),
    `Deployment/web spec.replicas = 1\n  web.yaml:8\n    not committed\n`,
  );
  const secret = await why('Secret/s', 'stringData.token', 'secret');
  assert.match(secret, /= \(not shown\)\n {2}secret\.yaml:5\n/);
  assert.doesNotMatch(secret, /hunter2/);
  assert.match(
    await why('Deployment/nope', 'spec', 'plain'),
    /there is no Deployment nope\n {2}there is: web/,
  );
  assert.match(
    await why('Deployment/web', 'spec.nope', 'plain'),
    /spec has no nope\n {2}it has: replicas, template/,
  );
  assert.match(await why('Deployment/web', 'spec..', 'plain'), /is no field/);
});
