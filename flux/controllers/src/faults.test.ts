/** Each request of the controllers fails once, for each of them: source and objects converge, and go on to follow Git. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CapstanError } from '@capstan/lib-std';
import { at, find } from './testing/look.ts';
import { createWorld } from './testing/world.ts';

const URL = 'https://git.example.com/org/repo.git';
const RESOURCES = `
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: repo, namespace: flux-system}
spec: {url: ${URL}, interval: 1m, ref: {branch: main}}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: infra, namespace: flux-system}
spec:
  interval: 10m
  retryInterval: 100ms
  timeout: 5s
  path: ./infra
  prune: true
  wait: true
  sourceRef: {kind: GitRepository, name: repo}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: web, namespace: flux-system}
spec:
  interval: 10m
  retryInterval: 100ms
  path: ./web
  prune: true
  targetNamespace: web
  dependsOn: [{name: infra}]
  sourceRef: {kind: GitRepository, name: repo}
`;
const configMap = (name: string, value: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {k: "${value}"}\n`;
const NAMESPACE = 'apiVersion: v1\nkind: Namespace\nmetadata: {name: web}\n';

async function followWithFault(failing: number): Promise<number> {
  let count = 0;
  const fault = new CapstanError('UNAVAILABLE', 'the connection broke', { kind: 'retry' });
  await using world = await createWorld({
    onRequest: (number) => {
      count = number;
      if (number === failing) throw fault;
    },
  });
  const follow = (id: string) =>
    world.eventually(
      () => world.get('Kustomization', 'flux-system/web'),
      (one) => {
        const revision = String(at(one, 'status', 'lastAppliedRevision'));
        return at(find(one, 'Ready'), 'status') === 'True' && revision.endsWith(id);
      },
    );
  const first = world.sources.push(URL, {
    'infra/namespace.yaml': NAMESPACE,
    'web/a.yaml': configMap('a', '1'),
    'web/b.yaml': configMap('b', '1'),
  });
  await world.kubectlApply(RESOURCES);
  await follow(first);
  const second = world.sources.push(URL, {
    'infra/namespace.yaml': NAMESPACE,
    'web/a.yaml': configMap('a', '2'),
    'web/c.yaml': configMap('c', '2'),
  });
  await follow(second);
  const read = async (name: string) => at(await world.get('ConfigMap', `web/${name}`), 'data', 'k');
  assert.deepEqual([await read('a'), await read('b'), await read('c')], ['2', undefined, '2']);
  return count;
}

test('whichever request fails, both Kustomizations converge', { timeout: 240_000 }, async () => {
  const total = await followWithFault(0);
  assert.ok(total > 20, `${total} requests`);
  const all = Array.from({ length: total }, (_, i) => i + 1);
  // Several worlds at once: most of their time is waiting.
  while (all.length > 0) await Promise.all(all.splice(0, 6).map(followWithFault));
});
