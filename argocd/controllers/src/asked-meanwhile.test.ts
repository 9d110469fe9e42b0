/** What people ask for while a look is under way is for the next one: it is neither lost nor told as done. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, meddleBefore } from '@capstan/engine-delivery/testing';
import type { TransportRequest } from '@capstan/kube-client';
import type { Json } from '@capstan/kube-object';
import { createWorld, type World } from './testing/world.ts';

const REPO = 'https://git.example.com/org/repo.git';
const REF = {
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  namespace: 'argocd',
  name: 'web',
};
const APPLICATION = `
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web, namespace: argocd}
spec:
  project: default
  source: {repoURL: ${REPO}, path: app}
  destination: {server: https://kubernetes.default.svc, namespace: default}
  syncPolicy: {automated: {}}
`;
const configMap = (name: string, wave: number) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}, annotations: {argocd.argoproj.io/sync-wave: "${wave}"}}\n`;
/** Two waves, so that the sync is told of before it begins. */
const FILES = { 'app/a.yaml': configMap('a', 0), 'app/b.yaml': configMap('b', 1) };

const isStatusWrite = ({ method, path }: TransportRequest) =>
  method === 'PATCH' && path.includes('/applications/web');

interface Meddled extends AsyncDisposable {
  readonly world: World;
  /** What was written to the application, in order. */
  readonly writes: readonly string[];
}

/** An automated sync during which somebody patches the application: after it was read, before its first status write. */
async function syncWith(patch: Json): Promise<Meddled> {
  const writes: string[] = [];
  let meddle: () => Promise<unknown> = async () => undefined;
  const world = await createWorld({
    through: (transport) => {
      const meddled = meddleBefore(transport, isStatusWrite, () => meddle());
      return {
        ...meddled,
        async request(request) {
          if (isStatusWrite(request)) writes.push(String(request.body));
          return meddled.request(request);
        },
      };
    },
  });
  meddle = () => world.client.patch(REF, patch, { type: 'merge' });
  world.sources.push(REPO, FILES);
  await world.kubectlApply(APPLICATION);
  return { world, writes, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
}

test('a sync that is asked for while another one runs is performed after it', async () => {
  await using meddled = await syncWith({
    operation: { sync: { prune: true }, initiatedBy: { username: 'ann' } },
  });
  const { world } = meddled;
  const app = await world.eventually(
    () => world.get('Application', 'argocd/web'),
    (one) => at(one, 'status', 'operationState', 'operation', 'initiatedBy', 'username') === 'ann',
  );
  assert.equal(at(app, 'status', 'operationState', 'phase'), 'Succeeded');
});

test('a refresh that is asked for while a look is under way has a look of its own', async () => {
  const refresh = 'argocd.argoproj.io/refresh';
  await using meddled = await syncWith({ metadata: { annotations: { [refresh]: 'hard' } } });
  const { world, writes } = meddled;
  const read = () => world.get('Application', 'argocd/web');
  await world.eventually(read, (one) => at(one, 'status', 'sync', 'status') === 'Synced');
  await world.eventually(read, (one) => one?.metadata.annotations?.[refresh] === undefined);
  const synced = writes.findIndex((text) => text.includes('"Synced"'));
  const cleared = writes.findIndex((text) => text.includes(`"${refresh}":null`));
  assert.ok(synced < cleared, 'not by the look that was under way');
});

test('what is told to be compared is the spec that was compared, not one that came meanwhile', async () => {
  await using meddled = await syncWith({
    spec: { source: { path: 'other' }, syncPolicy: { automated: { enabled: false } } },
  });
  const { world, writes } = meddled;
  const pathOf = (text: string) => text.match(/"comparedTo":.*?"path":"(\w+)"/)?.[1];
  await world.eventually(
    async () => writes.map(pathOf),
    (paths) => paths.includes('other'),
  );
  const synced = writes.find((text) => text.includes('"status":"Synced"'));
  assert.ok(synced !== undefined && pathOf(synced) !== 'other');
});

test('an object that somebody makes while a look is under way is not told to be missing for long', async () => {
  let meddle: () => Promise<unknown> = async () => undefined;
  await using world = await createWorld({
    through: (transport) =>
      meddleBefore(
        transport,
        ({ method, path }) => method === 'PATCH' && path.includes('/configmaps/a?'),
        () => meddle(),
      ),
  });
  const make = (name: string, data: string) =>
    world.client.create({
      ...{ apiVersion: 'v1', kind: 'ConfigMap' },
      ...{ metadata: { name, namespace: 'default' }, data: { k: data } },
    });
  // The server is asked of this one, after everything was read.
  await make('a', 'other');
  meddle = async () => {
    await make('b', '1');
    await world.eventually(
      async () => world.cluster.live.list({ group: '', kind: 'ConfigMap' }, 'default'),
      (held) => held.some(({ key }) => key.name === 'b'),
    );
  };
  const map = (name: string) => `${configMap(name, 0)}data: {k: "1"}\n`;
  world.sources.push(REPO, { 'app/a.yaml': map('a'), 'app/b.yaml': map('b') });
  await world.kubectlApply(APPLICATION.replace('  syncPolicy: {automated: {}}\n', ''));
  await world.eventually(
    () => world.get('Application', 'argocd/web'),
    (app) => {
      const resources = at(app, 'status', 'resources');
      return (
        Array.isArray(resources) &&
        resources.length === 2 &&
        resources.every((one) => at(one, 'health', 'status') !== 'Missing')
      );
    },
  );
});
