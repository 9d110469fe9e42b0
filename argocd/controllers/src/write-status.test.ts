import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseApplication } from '@capstan/argocd-api';
import { at } from '@capstan/engine-delivery/testing';
import type { Transport } from '@capstan/kube-client';
import { createWorld } from './testing/world.ts';
import { writeStatus } from './write-status.ts';

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
    const answer = { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 500, message };
    return {
      status: 500,
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

test('of the results of a sync those are left out that tell nothing where they do not fit', async () => {
  await using world = await createWorld({ through: (transport) => withRoomFor(6_000, transport) });
  const maps = Array.from(
    { length: 30 },
    (_, i) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m${i}}\n`,
  );
  const hook = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: hook, annotations: {argocd.argoproj.io/hook: PreSync}}\n`;
  world.sources.push(REPO, { 'app/all.yaml': [...maps, hook].join('---\n') });
  await world.kubectlApply(`${APPLICATION}  syncPolicy: {automated: {}}\n`);
  const read = () => world.get('Application', 'argocd/web');
  const app = await world.eventually(
    read,
    (one) => at(one, 'status', 'operationState', 'phase') === 'Succeeded',
  );
  const names = (place: unknown) => (place as { name: string }[]).map(({ name }) => name);
  assert.deepEqual(names(at(app, 'status', 'operationState', 'syncResult', 'resources')), ['hook']);
  assert.equal(names(at(app, 'status', 'resources')).length, 31, 'with the hook');
  assert.equal(at(app, 'status', 'sync', 'status'), 'Synced');
  assert.equal(at(app, 'status', 'conditions'), undefined);
});

test('a refresh goes with the time that tells it from others; one that came since stays', async () => {
  await using world = await createWorld();
  world.sources.push(REPO, {
    'app/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n',
  });
  await world.kubectlApply(APPLICATION);
  const ref = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    namespace: 'argocd',
    name: 'web',
  };
  const refresh = 'argocd.argoproj.io/refresh';
  const time = 'argocd.argoproj.io/refresh-timestamp';
  const read = () => world.get('Application', 'argocd/web');
  await world.eventually(read, (one) => at(one, 'status', 'sync', 'status') === 'OutOfSync');
  const ask = (at: string) =>
    world.client.patch(
      ref,
      { metadata: { annotations: { [refresh]: 'normal', [time]: at } } },
      { type: 'merge' },
    );
  await ask('1');
  const after = await world.eventually(
    read,
    (one) => one?.metadata.annotations?.[refresh] === undefined,
  );
  assert.equal(after?.metadata.annotations?.[time], undefined);

  // Seen by a look that began before the second request.
  const parsed = parseApplication(await world.client.get(ref));
  const app = parsed.kind === 'ok' ? parsed.value : assert.fail();
  const annotations = { [refresh]: 'normal', [time]: '3' };
  const asked = { ...app, metadata: { ...app.metadata, annotations } };
  const written = await writeStatus(asked, asked.status ?? {}, {
    client: world.client,
    isFinal: true,
    clearsOperation: false,
    seen: { [refresh]: 'normal', [time]: '2' },
    signal: new AbortController().signal,
  });
  assert.equal(written, undefined, 'nothing is taken away');
});

test('a status that somebody took away is told again', async () => {
  await using world = await createWorld();
  world.sources.push(REPO, {
    'app/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n',
  });
  await world.kubectlApply(APPLICATION);
  const isTold = () =>
    world.eventually(
      () => world.get('Application', 'argocd/web'),
      (one) =>
        at(one, 'status', 'sync', 'status') === 'OutOfSync' &&
        one?.metadata.annotations?.['argocd.argoproj.io/refresh'] === undefined,
    );
  await isTold();
  await world.controller.idle();
  const ref = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Application' };
  const place = { namespace: 'argocd', name: 'web' };
  await world.client.patch({ ...ref, ...place }, { status: null }, { type: 'merge' });
  await isTold();
});
