import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWorld } from './testing/world.ts';

const secret = (name: string, labels: string) => `
apiVersion: v1
kind: Secret
metadata:
  name: ${name}
  namespace: argocd
  labels: {argocd.argoproj.io/secret-type: cluster${labels}}
stringData: {name: ${name}, server: 'https://kubernetes.default.svc'}
`;
const LABEL = 'argocd.argoproj.io/kubernetes-version';

test('a cluster whose Secret asks for it bears the version of its Kubernetes', async () => {
  await using world = await createWorld();
  await world.kubectlApply(secret('silent', ''));
  await world.kubectlApply(secret('asked', ', argocd.argoproj.io/auto-label-cluster-info: "true"'));
  const { gitVersion } = await world.client.discovery.version();
  const told = await world.eventually(
    () => world.get('Secret', 'argocd/asked'),
    (one) => one?.metadata.labels?.[LABEL] !== undefined,
  );
  const label = told?.metadata.labels?.[LABEL] ?? '';
  assert.match(label, /^v\d+\.\d+\.\d+$/);
  assert.ok(gitVersion.startsWith(label), `${gitVersion} ${label}`);
  const silent = await world.get('Secret', 'argocd/silent');
  assert.equal(silent?.metadata.labels?.[LABEL], undefined);
});
