import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at } from '@capstan/engine-delivery/testing';
import type { Transport } from '@capstan/kube-client';
import { createWorld } from './testing/world.ts';

const REPO = 'https://git.example.com/a.git';
const APPLICATION = `
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web, namespace: argocd, annotations: {argocd.argoproj.io/refresh: normal}}
spec:
  project: default
  source: {repoURL: '${REPO}', path: app}
  destination: {server: https://kubernetes.default.svc, namespace: default}
`;

/** A server that stores less than the real one. */
const withRoomFor = (bytesMax: number, transport: Transport): Transport => ({
  ...transport,
  request: async (request) => {
    const isStatus = request.method === 'PATCH' && request.path.includes('/applications/');
    if (!isStatus || (request.body?.length ?? 0) <= bytesMax) return transport.request(request);
    const message = 'etcdserver: request is too large';
    const answer = { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 413, message };
    return {
      status: 413,
      headers: { 'content-type': 'application/json' },
      body: (async function* () {
        yield new TextEncoder().encode(JSON.stringify(answer));
      })(),
    };
  },
});

test('a status that the server has no room for is told of, and the refresh is done with', async () => {
  await using world = await createWorld({ through: (transport) => withRoomFor(1500, transport) });
  const maps = Array.from(
    { length: 30 },
    (_, i) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m${i}}\n`,
  );
  world.sources.push(REPO, { 'app/all.yaml': maps.join('---\n') });
  await world.kubectlApply(APPLICATION);
  const app = await world.eventually(
    () => world.get('Application', 'argocd/web'),
    (one) => at(one, 'status', 'conditions', 0, 'type') === 'UnknownError',
  );
  assert.match(
    String(at(app, 'status', 'conditions', 0, 'message')),
    /^Application status exceeds the Kubernetes resource size limit/,
  );
  assert.equal(at(app, 'status', 'resources'), undefined);
  assert.equal(app?.metadata.annotations?.['argocd.argoproj.io/refresh'], undefined);
});
