import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { at, condition, ready } from './testing/look.ts';
import { createWorld, type World } from './testing/world.ts';

const REPO = 'https://git.example.com/org/my-app.git';
const read = (name: string) =>
  readFileSync(join(import.meta.dirname, 'testdata', 'sops', name), 'utf8');

/** As sops and age wrote them: a Secret, values for a generator, a file of any kind. */
const FILES = {
  'deploy/kustomization.yaml': `
resources: [secret.yaml]
secretGenerator:
- name: db
  envs: [db.env]
  files: [token.txt]
  options: {disableNameSuffixHash: true}
commonAnnotations: {team: web}
`,
  'deploy/secret.yaml': read('secret.yaml'),
  'deploy/db.env': read('db.env'),
  'deploy/token.txt': read('token.txt'),
};

const resources = (extra: string) => `
apiVersion: v1
kind: Namespace
metadata: {name: production}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: my-app, namespace: flux-system}
spec: {interval: 1m, url: "${REPO}", ref: {branch: main}}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: my-app, namespace: flux-system}
spec:
  interval: 10m
  targetNamespace: production
  sourceRef: {kind: GitRepository, name: my-app}
  path: ./deploy
  prune: true
${extra}`;
const DECRYPTION = '  decryption: {provider: sops, secretRef: {name: keys}}\n';

test('encrypted Secrets and the files of generators are decrypted, then variables are put in', async () => {
  await using world = await createWorld();
  world.sources.push(REPO, FILES);
  await putKeys(world, read('keys.txt'));
  await world.kubectlApply(resources(`${DECRYPTION}  postBuild: {substitute: {size: large}}\n`));
  await ready(world, 'Applied revision');
  assert.deepEqual(await secretOf(world, 'app'), { password: 'canary-large' });
  assert.deepEqual(await secretOf(world, 'db'), {
    USER: 'web',
    PASSWORD: 'canary-env',
    'token.txt': 'a plain token: canary-file\n',
  });
  const told = JSON.stringify([
    await world.get('Kustomization', 'flux-system/my-app'),
    await world.client.list({ apiVersion: 'v1', kind: 'Event' }, { namespace: 'flux-system' }),
  ]);
  assert.equal(/canary|AGE-SECRET/.test(told), false);
});

test('without a key, or with another one, nothing is applied and the file is named', async () => {
  await using world = await createWorld();
  world.sources.push(REPO, FILES);
  await world.kubectlApply(resources(''));
  await condition(world, 'Ready', (one) =>
    /Secret\/production\/app is SOPS encrypted, configuring decryption is required/.test(
      String(at(one, 'message')),
    ),
  );
  await putKeys(
    world,
    'AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX',
  );
  await world.kubectlApply(resources(DECRYPTION));
  const refused = await condition(world, 'Ready', (one) =>
    /error decrypting sources: deploy\/token.txt: none of the given keys/.test(
      String(at(one, 'message')),
    ),
  );
  assert.equal(at(refused, 'reason'), 'BuildFailed');
  assert.equal(await world.get('Secret', 'production/app'), undefined);
});

async function putKeys(world: World, key: string): Promise<void> {
  await world.client.apply(
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'keys', namespace: 'flux-system' },
      stringData: { 'team.agekey': key },
    },
    { fieldManager: 'kubectl', force: true },
  );
}

async function secretOf(world: World, name: string): Promise<Record<string, string>> {
  const secret = await world.get('Secret', `production/${name}`);
  const data = (at(secret, 'data') ?? {}) as Record<string, string>;
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
  );
}

test('an account to decrypt with is refused unless it is allowed', async () => {
  await using world = await createWorld();
  world.sources.push(REPO, {
    'deploy/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n',
  });
  await world.kubectlApply(resources('  decryption: {provider: sops, serviceAccountName: kms}\n'));
  const told = await condition(world, 'Stalled', (one) => at(one, 'status') === 'True');
  assert.equal(at(told, 'reason'), 'FeatureGateDisabled');
  assert.match(String(at(told, 'message')), /enable the ObjectLevelWorkloadIdentity feature gate/);
});
