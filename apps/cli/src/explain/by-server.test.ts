import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import type { ExplanationView, FieldExplanation } from '@capstan/apps-contract';
import { runCapstan } from '../testing/run-capstan.ts';

const ANSWERS: Readonly<Record<string, readonly ExplanationView[]>> = {
  '/api/apps/Application/argocd/web/explain': [
    { about: 'sync', sentence: 'of 2 objects 1 differ', next: 'sync it' },
    { about: 'health', sentence: 'Deployment/web is Degraded', next: 'look at it' },
  ],
  '/api/apps/Kustomization/flux-system/infra/explain': [
    { about: 'waiting', sentence: 'DependencyNotReady: db', next: 'make it ready' },
  ],
  '/api/apps/HelmRelease/apps/db/explain': [],
};
const FIELD: FieldExplanation = {
  app: { kind: 'Application', namespace: 'argocd', name: 'web' },
  object: { group: 'apps', kind: 'Deployment', namespace: 'prod', name: 'web' },
  field: 'spec.replicas',
  desired: '2',
  live: '3',
  writers: [{ manager: 'kubectl-edit', operation: 'Update', at: '2026-01-02T03:04:05Z' }],
  sources: [
    {
      repo: 'https://git.example.com/a.git',
      revision: 'a'.repeat(40),
      file: 'base/web.yaml',
      line: 6,
      role: '',
      commit: {
        sha: 'b'.repeat(40),
        author: 'Ann <ann@example.com>',
        date: '2026-01-01T00:00:00Z',
        message: 'Scale',
      },
    },
    {
      repo: '',
      revision: '',
      file: null,
      line: null,
      role: 'value x in spec.values',
      commit: null,
    },
  ],
};
const FIELD_PATH = '/api/why?kind=deploy&name=web&namespace=prod&field=spec.replicas';

let url = '';
const server = createServer(({ url: path = '' }, response) => {
  const answer = path === FIELD_PATH ? FIELD : ANSWERS[path];
  response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(answer ?? { code: 'NOT_FOUND', message: 'no such app' }));
});
before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});

const ask = (...args: string[]) => runCapstan([...args, '--server', url], { cwd: '/' });

test('a running server is asked why an app of either family is as it is', async () => {
  for (const command of ['why', 'explain']) {
    assert.deepEqual(await ask(command, 'Application/web'), {
      code: 1,
      out: 'not in sync: of 2 objects 1 differ\n  next: sync it\nnot healthy: Deployment/web is Degraded\n  next: look at it\n',
      err: '',
    });
    assert.deepEqual(await ask(command, 'kustomization/infra'), {
      code: 1,
      out: 'waiting: DependencyNotReady: db\n  next: make it ready\n',
      err: '',
    });
    assert.deepEqual(await ask(command, 'HelmRelease/db', '-n', 'apps'), {
      code: 0,
      out: 'HelmRelease/db is in sync and healthy\n',
      err: '',
    });
  }
});

test('programs get the sentences as JSON', async () => {
  const { out } = await ask('why', 'Kustomization/infra', '-o', 'json');
  assert.deepEqual(JSON.parse(out), ANSWERS['/api/apps/Kustomization/flux-system/infra/explain']);
});

test('a running server is asked where a field of a live object comes from', async () => {
  const target = ['why', 'deploy/web', 'spec.replicas', '-n', 'prod'];
  assert.deepEqual(await ask(...target), {
    code: 0,
    out: `Deployment prod/web of Application/web: spec.replicas
  live: 3, wanted: 2
  written by kubectl-edit (Update, 2026-01-02T03:04:05Z)
  base/web.yaml:6 in https://git.example.com/a.git at aaaaaaaaaaaa
    bbbbbbbbbbbb 2026-01-01 Ann <ann@example.com>: Scale
  the app itself (value x in spec.values)
`,
    err: '',
  });
  assert.deepEqual(JSON.parse((await ask(...target, '-o', 'json')).out), FIELD);
  assert.match((await ask('why', 'Pod/x', 'spec.nodeName')).err, /no such app/);
});

test('what no server knows, or nobody may ask about, is said', async () => {
  const unknown = await ask('why', 'Application/none');
  assert.equal(unknown.code, 1);
  assert.match(unknown.err, /no such app/);
  assert.match(
    (await ask('why', 'Deployment/web')).err,
    /Application\/NAME or Kustomization\/NAME/,
  );
});
