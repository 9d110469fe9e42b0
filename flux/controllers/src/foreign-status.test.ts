/** A status tells what was observed: what others write there, or a former process late, does not stand. */
import { test } from 'node:test';
import { at } from './testing/look.ts';
import { REPO, trackedApp } from './testing/tracked-app.ts';
import { createWorld, type World } from './testing/world.ts';

const CONFIG_MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n';
const PLACE = { namespace: 'flux-system', name: 'my-app' };

async function applied(world: World, id: string): Promise<void> {
  for (const [kind, path] of [
    ['GitRepository', ['artifact', 'revision']],
    ['Kustomization', ['lastAppliedRevision']],
  ] as const) {
    await world.eventually(
      () => world.get(kind, 'flux-system/my-app'),
      (one) => at(one, 'status', ...path) === `main@sha1:${id}`,
    );
  }
}

test('an older artifact that is written to a source does not stay, and neither does what others say was applied', async () => {
  await using world = await createWorld();
  world.sources.push(REPO, { 'app/a.yaml': CONFIG_MAP });
  await world.kubectlApply(trackedApp('  targetNamespace: default'));
  const first = await world.eventually(
    () => world.get('GitRepository', 'flux-system/my-app'),
    (one) => at(one, 'status', 'artifact') !== undefined,
  );
  const id = world.sources.push(REPO, { 'app/a.yaml': `${CONFIG_MAP}data: {k: v}\n` });
  await applied(world, id);
  const write = (apiVersion: string, kind: string, status: object) =>
    world.client.patch(
      { apiVersion, kind, ...PLACE },
      { status: { ...status } },
      {
        type: 'merge',
        subresource: 'status',
      },
    );
  const artifact = at(first, 'status', 'artifact') ?? null;
  await write('source.toolkit.fluxcd.io/v1', 'GitRepository', { artifact });
  await applied(world, id);
  const lastAppliedRevision = 'main@sha1:of-a-former-process';
  await write('kustomize.toolkit.fluxcd.io/v1', 'Kustomization', { lastAppliedRevision });
  await applied(world, id);
});
