import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import type { PlanStep, PlanView } from '@capstan/apps-contract';
import { runCapstan } from '../testing/run-capstan.ts';

const object = (kind: string, name: string, group = '') => ({
  group,
  kind,
  namespace: 'web',
  name,
});
const step = (change: PlanStep['change'], kind: string, name: string, more = {}): PlanStep => ({
  change,
  object: object(kind, name),
  note: '',
  differences: [],
  ...more,
});
const PLAN: PlanView = {
  revisions: ['abc'],
  problems: [{ severity: 'warning', message: 'something is shared' }],
  waves: [
    { phase: 'PreSync', wave: 0, steps: [step('hook', 'Job', 'migrate')] },
    {
      phase: 'Sync',
      wave: 0,
      steps: [
        step('keep', 'ConfigMap', 'old', { note: 'pruning is off' }),
        step('unchanged', 'ConfigMap', 'same'),
        step('change', 'Deployment', 'web', {
          object: object('Deployment', 'web', 'apps'),
          differences: [
            { field: 'spec.replicas', desired: '2', live: '3', manager: 'kubectl' },
            { field: 'spec.paused', desired: '', live: 'true', manager: '' },
          ],
        }),
      ],
    },
  ],
  skipped: [{ object: object('Secret', 'own'), reason: 'skipped by its own hint' }],
};

let url = '';
let answer: unknown = PLAN;
let asked = '';
const server = createServer((request, response) => {
  asked = request.url ?? '';
  const isFound = asked.includes('/web/plan');
  response.writeHead(isFound ? 200 : 404, { 'content-type': 'application/json' });
  response.end(JSON.stringify(isFound ? answer : { code: 'NOT_FOUND', message: 'no such app' }));
});
before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});

const plan = (...args: string[]) =>
  runCapstan(['plan', ...args], { cwd: '/', env: { CAPSTAN_SERVER: url } });

test('a plan is printed wave by wave, with the fields that would change', async () => {
  answer = PLAN;
  const { code, out } = await plan('application/web');
  assert.equal(asked, '/api/apps/Application/argocd/web/plan');
  assert.equal(code, 2);
  assert.equal(
    out,
    [
      'revision abc',
      'warning: something is shared',
      'PreSync, wave 0',
      '  hook    Job web/migrate',
      'Sync, wave 0',
      '  keep    ConfigMap web/old (pruning is off)',
      '  change  Deployment.apps web/web',
      '            spec.replicas: 3 -> 2, by kubectl',
      '            spec.paused: true -> absent',
      '  skip    Secret web/own: skipped by its own hint',
      '1 in place already',
      '',
    ].join('\n'),
  );
  assert.deepEqual(JSON.parse((await plan('Application/web', '-o', 'json')).out), PLAN);
});

test('nothing to do is 0, an unknown plan and an unknown app are 1, with the reason', async () => {
  answer = { ...PLAN, waves: [] };
  assert.equal((await plan('Kustomization/web', '-n', 'team')).code, 0);
  assert.equal(asked, '/api/apps/Kustomization/team/web/plan');
  answer = { ...PLAN, waves: null, problems: [{ severity: 'error', message: 'no such branch' }] };
  const unknown = await plan('Application/web');
  assert.equal(unknown.code, 1);
  assert.match(unknown.err, /no such branch/);
  const missing = await plan('Application/other');
  assert.equal(missing.code, 1);
  assert.match(missing.err, /no such app/);
});

test('a server that is not there is told with what to do', async () => {
  const { code, err } = await plan('Application/web', '--server', 'http://127.0.0.1:1');
  assert.equal(code, 1);
  assert.match(err, /http:\/\/127\.0\.0\.1:1 does not answer/);
});
