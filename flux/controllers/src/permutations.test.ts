/**
 * People, Git and the cluster do things in any order, events come late and twice: in the end everything is as the last commit
 * and the last spec say. SEEDS=300 tries as many orders; SEED=7 begins with that one.
 */
import { test } from 'node:test';
import {
  type Act,
  actAtRandom,
  pause,
  seededRandom,
  trySeeds,
  unrulyNetwork,
} from '@capstan/engine-delivery/testing';
import type { Json } from '@capstan/kube-object';
import { annotate, at, find } from './testing/look.ts';
import { createWorld, type World } from './testing/world.ts';

const URL = 'https://git.example.com/org/repo.git';
const KUSTOMIZATION = {
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
  kind: 'Kustomization',
  namespace: 'flux-system',
  name: 'my-app',
};
const REPOSITORY = {
  apiVersion: 'source.toolkit.fluxcd.io/v1',
  kind: 'GitRepository',
  namespace: 'flux-system',
  name: 'repo',
};
const RESOURCES = `
apiVersion: v1
kind: Namespace
metadata: {name: web}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: repo, namespace: flux-system}
spec: {url: ${URL}, interval: 1m, ref: {branch: main}}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: my-app, namespace: flux-system}
spec:
  interval: 10m
  retryInterval: 100ms
  path: ./app
  prune: true
  targetNamespace: web
  sourceRef: {kind: GitRepository, name: repo}
`;
const configMap = (name: string, value: number) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {k: "${value}"}\n`;

/** What a commit holds: some objects, in one folder or the other; some commits are broken. */
function commit(count: number, random: () => number): Record<string, string> {
  const files: Record<string, string> = {};
  for (const folder of ['app', 'other']) {
    for (const name of ['a', 'b', 'c']) {
      if (random() < 0.6) files[`${folder}/${name}.yaml`] = configMap(name, count);
    }
    files[`${folder}/always.yaml`] = configMap('always', count);
  }
  return files;
}

const onConfigMap = (name: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  namespace: 'web',
  name,
});
const patchSpec = ({ client }: World, spec: Json, ref = KUSTOMIZATION) =>
  client.patch(ref, { spec }, { type: 'merge' });
const SOME = ['a', 'b', 'c', 'always'];

const ACTS: readonly Act<World>[] = [
  async ({ sources }, random, count) => sources.push(URL, commit(count, random)),
  async ({ sources }, random, count) => sources.push(URL, commit(count, random)),
  async ({ sources }, random, count) =>
    sources.push(URL, { ...commit(count, random), 'app/always.yaml': 'kind: [' }),
  ({ client }, random) => {
    const ref = onConfigMap(SOME[Math.floor(random() * 4)] ?? '');
    return client.patch(ref, { data: { k: 'drift' } }, { type: 'merge' });
  },
  ({ client }, random) => client.delete(onConfigMap(SOME[Math.floor(random() * 4)] ?? '')),
  (world, random) => patchSpec(world, { path: random() < 0.5 ? './app' : './other' }),
  (world, random) => patchSpec(world, { prune: random() < 0.5 }),
  (world, random) => patchSpec(world, { suspend: random() < 0.5 }),
  (world, random) => patchSpec(world, { suspend: random() < 0.5 }, REPOSITORY),
  (world, random) => annotate(world, `asked-${random()}`),
  (world) => world.restart(),
];

async function runScript(seed: number): Promise<void> {
  const random = seededRandom(seed);
  await using world = await createWorld({
    through: (transport) => unrulyNetwork(transport, seededRandom(seed + 1_000_000)),
  });
  world.sources.push(URL, commit(0, random));
  await world.kubectlApply(RESOURCES);
  await actAtRandom(world, ACTS, { random, times: 12 });
  // What was not pruned while that was off is nobody's by now: it may stay, or go.
  const last = commit(99, random);
  const order = random() < 0.5 ? ['git', 'spec', 'repository'] : ['repository', 'spec', 'git'];
  let id = '';
  for (const what of order) {
    if (what === 'git') id = world.sources.push(URL, last);
    else if (what === 'spec')
      await patchSpec(world, { path: './app', prune: true, suspend: false });
    else await patchSpec(world, { suspend: false }, REPOSITORY);
    await pause(random() * 50);
  }
  const wanted = Object.keys(last)
    .filter((path) => path.startsWith('app/'))
    .map((path) => path.slice(4, -5))
    .sort();
  const read = async () => {
    const { items } = await world.client.list(
      { apiVersion: 'v1', kind: 'ConfigMap' },
      { namespace: 'web' },
    );
    const held = items
      .filter((one) => at(one, 'data', 'k') === '99')
      .map(({ metadata }) => metadata.name)
      .sort();
    const app = await world.get('Kustomization', 'flux-system/my-app');
    const inventory = at(app, 'status', 'inventory', 'entries');
    const ids = Array.isArray(inventory) ? inventory.map((one: Json) => at(one, 'id')) : [];
    const revision = String(at(app, 'status', 'lastAppliedRevision'));
    const isReady = at(find(app, 'Ready'), 'status') === 'True';
    return { held, ids, revision, isReady };
  };
  const entries = wanted.map((name) => `web_${name}__ConfigMap`).join();
  await world.eventually(
    read,
    ({ held, ids, revision, isReady }) =>
      held.join() === wanted.join() &&
      // What a former process writes late stands for a moment.
      ids.sort().join() === entries &&
      isReady &&
      revision.endsWith(id),
  );
}

test(
  'in whatever order things happen, the last commit and spec win',
  {
    timeout: 3_600_000,
  },
  async () => trySeeds(8, runScript),
);
