/** What an object says of itself by the annotations of kustomize.toolkit.fluxcd.io. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, ready } from './testing/look.ts';
import { REPO, trackedApp } from './testing/tracked-app.ts';
import { createWorld } from './testing/world.ts';

const MARK = 'kustomize.toolkit.fluxcd.io';

function config(name: string, value: string, mark = '', more = ''): string {
  const annotations = mark === '' ? '' : `, annotations: {${MARK}/${mark}}`;
  return `apiVersion: v1
kind: ConfigMap
metadata: {name: ${name}, namespace: flux-system${annotations}}
data: {key: "${value}"}
${more}`;
}

const files = (value: string, kept = true) => ({
  'deploy/a.yaml': [
    config('plain', value),
    config('merged', value, 'ssa: Merge'),
    config('once', value, 'ssa: IfNotPresent'),
    config('theirs', value, 'ssa: Ignore'),
    config('forced', value, 'force: enabled', 'immutable: true\n'),
    ...(kept ? [config('kept', value, 'prune: disabled'), config('pruned', value)] : []),
  ].join('---\n'),
});

test('an object is merged, made once, left alone, made anew or kept, as it says', async () => {
  await using world = await createWorld();
  const apply = async (content: Readonly<Record<string, string>>): Promise<void> => {
    const commit = world.sources.push(REPO, content);
    await ready(world, `Applied revision: main@sha1:${commit}`);
  };
  const find = (name: string) => world.get('ConfigMap', `flux-system/${name}`);
  const value = async (name: string) => at(await find(name), 'data', 'key');
  await world.kubectlApply(config('theirs', 'by hand'));
  await world.kubectlApply(trackedApp('  path: ./deploy\n'));
  await apply(files('1'));
  assert.equal(await value('theirs'), 'by hand');
  const uid = (await find('forced'))?.metadata.uid;
  for (const name of ['plain', 'merged']) {
    const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'flux-system', name };
    const options = { type: 'merge', fieldManager: 'kubectl-edit' } as const;
    await world.client.patch(ref, { data: { extra: 'x' } }, options);
  }
  await apply(files('2', false));
  assert.deepEqual(at(await find('plain'), 'data'), { key: '2' });
  assert.deepEqual(at(await find('merged'), 'data'), { extra: 'x', key: '2' });
  assert.equal(await value('once'), '1');
  assert.equal(await value('theirs'), 'by hand');
  assert.equal(await value('forced'), '2');
  assert.notEqual((await find('forced'))?.metadata.uid, uid);
  assert.equal(await value('kept'), '1');
  assert.equal(await find('pruned'), undefined);
});
