import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import type { ExplanationView } from '@capstan/apps-contract';
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
let url = '';
const server = createServer(({ url: path = '' }, response) => {
  const answer = ANSWERS[path];
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

test('what no server knows, or nobody may ask about, is said', async () => {
  const unknown = await ask('why', 'Application/none');
  assert.equal(unknown.code, 1);
  assert.match(unknown.err, /no such app/);
  assert.match(
    (await ask('why', 'Deployment/web')).err,
    /Application\/NAME or Kustomization\/NAME/,
  );
});
