/** Each request of a sync fails once, for each of them: it converges all the same, and goes on to follow Git. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at } from '@capstan/engine-delivery/testing';
import { CapstanError } from '@capstan/lib-std';
import { createWorld } from './testing/world.ts';

const REPO = 'https://git.example.com/org/repo.git';
const APPLICATION = `
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web, namespace: argocd}
spec:
  project: default
  source: {repoURL: ${REPO}, path: app}
  destination: {server: https://kubernetes.default.svc, namespace: web}
  syncPolicy:
    automated: {prune: true, selfHeal: true}
    syncOptions: [CreateNamespace=true]
    retry: {limit: 5, backoff: {duration: 100ms, maxDuration: 100ms}}
`;
const FILES = {
  'app/job.yaml':
    'apiVersion: batch/v1\nkind: Job\nmetadata: {name: migrate, annotations: {argocd.argoproj.io/hook: PreSync}}\nspec: {template: {metadata: {annotations: {sandbox.capstan.dev/run-for: 10ms}}, spec: {restartPolicy: Never, containers: [{name: c, image: x}]}}}\n',
  'app/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: "1"}\n',
  'app/b.yaml':
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b, annotations: {argocd.argoproj.io/sync-wave: "1"}}\ndata: {k: "1"}\n',
};

async function syncWithFault(n: number): Promise<number> {
  let count = 0;
  const fault = new CapstanError('UNAVAILABLE', 'the connection broke', { kind: 'retry' });
  await using world = await createWorld({
    onRequest: (number) => {
      count = number;
      if (number === n) throw fault;
    },
  });
  world.sources.push(REPO, FILES);
  await world.kubectlApply(APPLICATION);
  const synced = () =>
    world.eventually(
      () => world.get('Application', 'argocd/web'),
      (app) =>
        at(app, 'status', 'sync', 'status') === 'Synced' &&
        at(app, 'status', 'operationState', 'phase') === 'Succeeded',
    );
  await synced();
  assert.notEqual(await world.get('Job', 'web/migrate'), undefined);
  world.sources.push(REPO, { 'app/a.yaml': FILES['app/a.yaml'].replace('"1"', '"2"') });
  await world.eventually(
    () => world.get('ConfigMap', 'web/a'),
    (one) => at(one, 'data', 'k') === '2',
  );
  await world.eventually(
    () => world.get('ConfigMap', 'web/b'),
    (one) => one === undefined,
  );
  await synced();
  return count;
}

test('whichever request fails, the sync converges', { timeout: 240_000 }, async () => {
  const total = await syncWithFault(0);
  assert.ok(total > 10);
  const all = Array.from({ length: total }, (_, i) => i + 1);
  // Several worlds at once: most of their time is waiting.
  while (all.length > 0) await Promise.all(all.splice(0, 6).map(syncWithFault));
});
