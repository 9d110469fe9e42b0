import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRegistry } from '@capstan/kube-controller';
import { REPO, trackedApp } from '../testing/tracked-app.ts';
import { createWorld } from '../testing/world.ts';

test('our own finalizer on a new source is no reason to look again; one that was taken away comes back', async () => {
  const registry = createRegistry();
  await using world = await createWorld({ registry });
  world.sources.push(REPO, { 'README.md': 'hello' });
  const looks = () =>
    Number(
      /^gotk_reconcile_duration_seconds_count\{kind="GitRepository".*\} (\d+)$/m.exec(
        registry.text(),
      )?.[1] ?? 0,
    );
  await world.kubectlApply(trackedApp().split(/^---$/m)[0] ?? '');
  await world.eventually(
    async () => looks(),
    (count) => count > 0,
  );
  await world.controllers.idle();
  assert.equal(looks(), 1);
  const ref = {
    ...{ apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'GitRepository' },
    ...{ namespace: 'flux-system', name: 'my-app' },
  };
  await world.client.patch(ref, { metadata: { finalizers: null } }, { type: 'merge' });
  await world.eventually(
    () => world.get('GitRepository', 'flux-system/my-app'),
    (one) => one?.metadata.finalizers?.length === 1,
  );
});
