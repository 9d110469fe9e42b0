import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readArchive } from '@capstan/engine-source/store';
import type { KubeObject } from '@capstan/kube-object';
import { readText } from '@capstan/lib-files';
import { at, conditions, find, settle } from '../testing/look.ts';
import { createWorld, type World } from '../testing/world.ts';

const REPO = 'https://git.example.com/org/mono.git';
const ENVS = 'https://git.example.com/org/envs.git';

const repository = (name: string, url: string) => `
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: ${name}, namespace: flux-system}
spec: {interval: 1m, url: "${url}", ref: {branch: main}}
`;
const generator = (spec: string) => `
apiVersion: source.extensions.fluxcd.io/v1beta1
kind: ArtifactGenerator
metadata: {name: parts, namespace: flux-system}
spec: ${spec}
`;
const config = (name: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}, namespace: default}\ndata: {a: b}\n`;
const TWO = `{
  sources: [{alias: git, kind: GitRepository, name: mono}, {alias: envs, kind: GitRepository, name: envs}],
  commonMetadata: {labels: {team: a}},
  artifacts: [
    {name: web, originRevision: "@git", copy: [{from: "@git/web/**", to: "@artifact/"}, {from: "@envs/values.yaml", to: "@artifact/values.yaml", strategy: Merge}]},
    {name: db, revision: "@git", copy: [{from: "@git/db", to: "@artifact/"}]}
  ]}`;

const get = (world: World, name: string) => world.get('ExternalArtifact', `flux-system/${name}`);

async function generated(world: World, holds: (one: KubeObject | undefined) => boolean) {
  return await world.eventually(() => world.get('ArtifactGenerator', 'flux-system/parts'), holds);
}

async function fileOf(world: World, artifact: KubeObject | undefined, path: string) {
  const bytes = await world.artifacts.read(String(at(artifact, 'status', 'artifact', 'url')));
  return readText(await readArchive(bytes ?? new Uint8Array()), path);
}

const isReady = (one: KubeObject | undefined) => at(find(one, 'Ready'), 'status') === 'True';

test('sources are taken apart and together into artifacts, which are applied and follow them', async () => {
  await using world = await createWorld();
  const mono = { 'web/a.yaml': config('a'), 'web/values.yaml': 'x: 1\n', 'db/d.yaml': config('d') };
  const commit = world.sources.push(REPO, mono);
  await world.kubectlApply(`${repository('mono', REPO)}---${generator(TWO)}`);
  const waiting = await generated(world, (one) => find(one, 'Ready') !== undefined);
  assert.match(
    String(at(find(waiting, 'Ready'), 'message')),
    /^get sources failed: (gitrepositories|source )/,
  );
  world.sources.push(ENVS, { 'values.yaml': 'z: 2\n' });
  await world.kubectlApply(repository('envs', ENVS));
  const ready = await generated(world, isReady);
  assert.deepEqual(conditions(ready), [
    'Ready=True Succeeded reconciliation succeeded, generated 2 artifact(s)',
  ]);
  const [web, db] = [await get(world, 'web'), await get(world, 'db')];
  assert.equal(await fileOf(world, web, 'values.yaml'), 'x: 1\nz: 2\n');
  assert.match(String(at(web, 'status', 'artifact', 'revision')), /^latest@sha256:/);
  assert.deepEqual(at(web, 'status', 'artifact', 'metadata'), {
    'org.opencontainers.image.revision': `main@sha1:${commit}`,
  });
  assert.equal(at(db, 'status', 'artifact', 'revision'), `main@sha1:${commit}`);
  assert.deepEqual(at(db, 'metadata', 'labels', 'team'), 'a');
  await world.kubectlApply(`
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: db, namespace: flux-system}
spec: {interval: 10m, sourceRef: {kind: ExternalArtifact, name: db}, path: ./db, prune: true}
`);
  await world.eventually(
    () => world.get('ConfigMap', 'default/d'),
    (one) => one !== undefined,
  );
  // A commit that concerns one of them changes the content of one of them.
  world.sources.push(REPO, { ...mono, 'db/e.yaml': config('e') });
  await world.eventually(
    () => world.get('ConfigMap', 'default/e'),
    (one) => one !== undefined,
  );
  const later = await get(world, 'web');
  assert.equal(at(later, 'status', 'artifact', 'digest'), at(web, 'status', 'artifact', 'digest'));
});

test('at rest nothing is written; what is lost is made again; what is no more wanted goes', async () => {
  await using world = await createWorld();
  world.sources.push(REPO, { 'web/a.yaml': config('a'), 'db/d.yaml': config('d') });
  world.sources.push(ENVS, { 'values.yaml': 'z: 2\n' });
  await world.kubectlApply(
    `${repository('mono', REPO)}---${repository('envs', ENVS)}---${generator(TWO)}`,
  );
  await generated(world, isReady);
  await settle();
  await world.controllers.idle();
  const before = world.requests();
  await settle();
  assert.equal(world.requests(), before);
  await world.client.delete({
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'ExternalArtifact',
    namespace: 'flux-system',
    name: 'web',
  });
  const web = await world.eventually(() => get(world, 'web'), isReady);
  assert.equal(await fileOf(world, web, 'a.yaml'), config('a'));
  const one = `{sources: [{alias: git, kind: GitRepository, name: mono}], artifacts: [{name: db, copy: [{from: "@git/db", to: "@artifact/"}]}]}`;
  await world.kubectlApply(generator(one));
  await world.eventually(
    () => get(world, 'web'),
    (found) => found === undefined,
  );
  await world.client.delete({
    apiVersion: 'source.extensions.fluxcd.io/v1beta1',
    kind: 'ArtifactGenerator',
    namespace: 'flux-system',
    name: 'parts',
  });
  await world.eventually(
    () => get(world, 'db'),
    (found) => found === undefined,
  );
  await generated(world, (found) => found === undefined);
});

test('what cannot be built is told: stalled where only the object can help', async () => {
  await using world = await createWorld();
  world.sources.push(REPO, { 'web/a.yaml': config('a') });
  const of = (artifacts: string, more = '') =>
    generator(
      `{sources: [{alias: git, kind: GitRepository, name: mono}], ${more} artifacts: ${artifacts}}`,
    );
  await world.kubectlApply(
    `${repository('mono', REPO)}---${of('[{name: web, copy: [{from: "@git/no", to: "@artifact/"}]}]')}`,
  );
  const failed = await generated(
    world,
    (one) => at(find(one, 'Ready'), 'reason') === 'BuildFailed',
  );
  assert.match(
    String(at(find(failed, 'Ready'), 'message')),
    /^web build failed: failed to apply copy operations: .*source 'no' does not exist$/,
  );
  assert.equal(at(find(failed, 'Reconciling'), 'reason'), 'ProgressingWithRetry');
  const copy = 'copy: [{from: "@git/web", to: "@artifact/"}]';
  await world.kubectlApply(of(`[{name: web, ${copy}}, {name: web, ${copy}}]`));
  const stalled = await generated(world, (one) => find(one, 'Stalled') !== undefined);
  assert.deepEqual(conditions(stalled), [
    "Stalled=True ValidationFailed duplicate artifact name 'web' found",
    "Ready=False ValidationFailed duplicate artifact name 'web' found",
  ]);
  await world.kubectlApply(
    of(
      `[{name: "{dir}-x", copy: [{from: "@git/{dir}/**", to: "@artifact/"}]}]`,
      'pathPattern: "@git/{dir}",',
    ),
  );
  await generated(world, isReady);
  assert.equal(at(await get(world, 'web-x'), 'metadata', 'labels', 'dir'), 'web');
});
