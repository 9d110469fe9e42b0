/**
 * People, Git and the cluster do things in any order, events come late and twice: in the end everything is as the last commit
 * and the last spec say. SEEDS=300 tries as many orders; SEED=7 begins with that one.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Act,
  actAtRandom,
  at,
  pause,
  seededRandom,
  trySeeds,
  unrulyNetwork,
} from '@capstan/engine-delivery/testing';
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
  destination: {server: https://kubernetes.default.svc, namespace: web}
  syncPolicy:
    automated: {prune: true, selfHeal: true, allowEmpty: true}
    syncOptions: [CreateNamespace=true]
    retry: {limit: 5, backoff: {duration: 50ms, maxDuration: 100ms}}
`;
const configMap = (name: string, value: number, wave = 0) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}, annotations: {argocd.argoproj.io/sync-wave: "${wave}"}}\ndata: {k: "${value}"}\n`;
const HOOK =
  'apiVersion: batch/v1\nkind: Job\nmetadata: {name: migrate, annotations: {argocd.argoproj.io/hook: PreSync}}\nspec: {template: {metadata: {annotations: {sandbox.capstan.dev/run-for: 20ms}}, spec: {restartPolicy: Never, containers: [{name: c, image: x}]}}}\n';

/** What a commit holds: some objects, in waves; some commits with a hook, one folder or the other. */
function commit(count: number, random: () => number): Record<string, string> {
  const files: Record<string, string> = {};
  for (const folder of ['app', 'other']) {
    for (const name of ['a', 'b', 'c']) {
      if (random() < 0.6)
        files[`${folder}/${name}.yaml`] = configMap(name, count, name === 'c' ? 1 : 0);
    }
    files[`${folder}/always.yaml`] = configMap('always', count);
    if (random() < 0.3) files[`${folder}/hook.yaml`] = HOOK;
  }
  return files;
}

const onConfigMap = (name: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  namespace: 'web',
  name,
});
const patchApp = ({ client }: World, patch: Json) => client.patch(REF, patch, { type: 'merge' });
const SOME = ['a', 'b', 'c', 'always'];

const ACTS: readonly Act<World>[] = [
  async ({ sources }, random, count) => sources.push(REPO, commit(count, random)),
  async ({ sources }, random, count) => sources.push(REPO, commit(count, random)),
  ({ client }, random) =>
    client.patch(
      onConfigMap(SOME[Math.floor(random() * 4)] ?? ''),
      { data: { k: 'drift' } },
      { type: 'merge' },
    ),
  ({ client }, random) => client.delete(onConfigMap(SOME[Math.floor(random() * 4)] ?? '')),
  (world, random) =>
    patchApp(world, { spec: { source: { path: random() < 0.5 ? 'app' : 'other' } } }),
  (world, random) =>
    patchApp(world, { spec: { syncPolicy: { automated: { prune: random() < 0.5 } } } }),
  (world) => patchApp(world, { spec: { syncPolicy: { automated: { enabled: false } } } }),
  (world) => patchApp(world, { spec: { syncPolicy: { automated: { enabled: true } } } }),
  (world) =>
    patchApp(world, { metadata: { annotations: { 'argocd.argoproj.io/refresh': 'hard' } } }),
  // With all that the policy of the application says: where it fails, nobody tries the same commit again.
  (world) =>
    patchApp(world, {
      operation: {
        sync: { prune: true, syncOptions: ['CreateNamespace=true'] },
        retry: { limit: 5, backoff: { duration: '50ms', maxDuration: '100ms' } },
        initiatedBy: { username: 'ann' },
      },
    }),
  (world) => world.restart(),
];

async function runScript(seed: number): Promise<void> {
  const random = seededRandom(seed);
  await using world = await createWorld({
    through: (transport) => unrulyNetwork(transport, seededRandom(seed + 1_000_000)),
  });
  world.sources.push(REPO, commit(0, random));
  await world.kubectlApply(APPLICATION);
  await actAtRandom(world, ACTS, { random, times: 12 });
  const last = commit(99, random);
  const [first, second] = random() < 0.5 ? ['git', 'spec'] : ['spec', 'git'];
  for (const what of [first, second]) {
    if (what === 'git') world.sources.push(REPO, last);
    else {
      const automated = { enabled: true, prune: true };
      await patchApp(world, { spec: { source: { path: 'app' }, syncPolicy: { automated } } });
    }
    await pause(random() * 50);
  }
  const wanted = Object.keys(last)
    .filter((path) => path.startsWith('app/') && !path.includes('hook'))
    .map((path) => `${path.slice(4, -5)}=99`)
    .sort();
  const read = async () => {
    const { items } = await world.client.list(
      { apiVersion: 'v1', kind: 'ConfigMap' },
      { namespace: 'web' },
    );
    const app = await world.get('Application', 'argocd/web');
    const held = items
      .filter(({ metadata }) => metadata.name !== 'kube-root-ca.crt')
      .map((one) => `${one.metadata.name}=${at(one, 'data', 'k')}`)
      .sort();
    const sync = String(at(app, 'status', 'sync', 'status'));
    const phase = String(at(app, 'status', 'operationState', 'phase'));
    return { held, sync, phase, message: at(app, 'status', 'operationState', 'message') };
  };
  const end = await world.eventually(
    read,
    ({ held, sync, phase }) =>
      held.join() === wanted.join() && sync === 'Synced' && phase === 'Succeeded',
  );
  assert.deepEqual(end.held, wanted);
}

test(
  'in whatever order things happen, the last commit and spec win',
  {
    timeout: 3_600_000,
  },
  async () => trySeeds(8, runScript),
);
