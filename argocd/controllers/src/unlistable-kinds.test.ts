/** Kinds that the controller may not list, and what resource.respectRBAC makes of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at } from '@capstan/engine-delivery/testing';
import type { Transport } from '@capstan/kube-client';
import type { Json } from '@capstan/kube-object';
import { REPO, webApplication } from './testing/fixtures.ts';
import { createWorld, type World } from './testing/world.ts';

const APPLICATION = webApplication('{}');
const SERVICE = (port: number) =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {ports: [{port: ${port}}], selector: {a: b}}\n`;

const rights = (verbs: string) => `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: controller}
rules:
- {apiGroups: ["argoproj.io", "discovery.k8s.io"], resources: ["*"], verbs: ["*"]}
- {apiGroups: [""], resources: [configmaps, secrets, namespaces, events], verbs: ["*"]}
- {apiGroups: [""], resources: [services], verbs: [${verbs}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: controller}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: controller}
subjects: [{kind: User, name: controller, apiGroup: rbac.authorization.k8s.io}]
`;
/** Of services in one namespace alone. */
const rightsIn = (namespace: string, verbs: string) => `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: services, namespace: ${namespace}}
rules:
- {apiGroups: [""], resources: [services], verbs: [${verbs}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: services, namespace: ${namespace}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: services}
subjects: [{kind: User, name: controller, apiGroup: rbac.authorization.k8s.io}]
`;
const settings = (value: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: argocd-cm, namespace: argocd}\ndata: {resource.respectRBAC: ${value}}\n`;

const asController = (transport: Transport): Transport => ({
  ...transport,
  request: (request) =>
    transport.request({
      ...request,
      headers: {
        ...request.headers,
        'impersonate-user': 'controller',
        'impersonate-group': ['system:authenticated'],
      },
    }),
});

async function status(world: World, holds: (status: Json | undefined) => boolean) {
  const app = await world.eventually(
    () => world.get('Application', 'argocd/web'),
    (one) => holds(one?.['status']),
  );
  return app?.['status'];
}

const isSynced = (one: Json | undefined) => at(one, 'sync', 'status') === 'Synced';

test('kinds that may not be listed are an error, unless the administrator has them read one by one', async () => {
  await using world = await createWorld({ through: asController });
  await world.kubectlApply(rights('get, create, patch, delete'));
  world.sources.push(REPO, { 'app/s.yaml': SERVICE(80) });
  await world.kubectlApply(APPLICATION);
  const refused = await status(world, (one) => at(one, 'conditions', 0) !== undefined);
  assert.equal(at(refused, 'sync', 'status'), 'Unknown');
  assert.match(String(at(refused, 'conditions', 0, 'message')), /services is forbidden/);

  await world.kubectlApply(settings('normal'));
  const synced = await status(world, isSynced);
  assert.equal(at(synced, 'resources', 0, 'kind'), 'Service');
  assert.equal(at(synced, 'conditions'), undefined);
  const commit = world.sources.push(REPO, { 'app/s.yaml': SERVICE(81) });
  await status(world, (one) => isSynced(one) && at(one, 'sync', 'revision') === commit);
  assert.equal(at((await world.get('Service', 'default/s'))?.['spec'], 'ports', 0, 'port'), 81);
});

test('strict believes the refusal of a list only when the review of access says the same', async () => {
  await using world = await createWorld({
    through: (transport) => {
      const limited = asController(transport);
      return {
        ...limited,
        // A list that is refused though the review allows it, as behind a proxy.
        request: (request) =>
          request.path.startsWith('/api/v1/services?')
            ? limited.request({ ...request, path: request.path.replace('services', 'nodes') })
            : limited.request(request),
      };
    },
  });
  await world.kubectlApply(rights('"*"'));
  await world.kubectlApply(settings('strict'));
  world.sources.push(REPO, { 'app/s.yaml': SERVICE(80) });
  await world.kubectlApply(APPLICATION);
  const refused = await status(world, (one) => at(one, 'conditions', 0) !== undefined);
  assert.match(String(at(refused, 'conditions', 0, 'message')), /forbidden/);
  await world.kubectlApply(rights('get, create, patch, delete'));
  await refresh(world);
  await status(world, isSynced);
});

test('strict holds a kind that one namespace of several lets be listed for one that is to be seen', async () => {
  await using world = await createWorld({
    through: asController,
    namespaces: ['argocd', 'default', 'other'],
  });
  await world.kubectlApply('apiVersion: v1\nkind: Namespace\nmetadata: {name: other}\n');
  await world.kubectlApply(rights('get, create, patch, delete'));
  await world.kubectlApply(rightsIn('other', '"*"'));
  await world.kubectlApply(settings('strict'));
  world.sources.push(REPO, { 'app/s.yaml': SERVICE(80) });
  await world.kubectlApply(APPLICATION);
  const refused = await status(world, (one) => at(one, 'conditions', 0) !== undefined);
  assert.match(String(at(refused, 'conditions', 0, 'message')), /forbidden/);
  await world.kubectlApply(rightsIn('other', 'get'));
  await refresh(world);
  await status(world, isSynced);
});

async function refresh(world: World): Promise<void> {
  const annotations = { 'argocd.argoproj.io/refresh': 'normal' };
  await world.client.patch(
    { apiVersion: 'argoproj.io/v1alpha1', kind: 'Application', namespace: 'argocd', name: 'web' },
    { metadata: { annotations } },
    { type: 'merge' },
  );
}
