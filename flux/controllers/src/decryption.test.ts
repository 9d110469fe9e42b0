import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DECRYPTION,
  ENCRYPTED_FILES,
  encryptedApp,
  putKeys,
  readSealed,
  secretOf,
  toldOf,
} from './testing/encrypted-app.ts';
import { at, condition, ready } from './testing/look.ts';
import { REPO } from './testing/tracked-app.ts';
import { createWorld } from './testing/world.ts';

test('encrypted Secrets and the files of generators are decrypted, then variables are put in', async () => {
  await using world = await createWorld();
  world.sources.push(REPO, ENCRYPTED_FILES);
  await putKeys(world, readSealed('keys.txt'));
  await world.kubectlApply(encryptedApp(`${DECRYPTION}  postBuild: {substitute: {size: large}}\n`));
  await ready(world, 'Applied revision');
  assert.deepEqual(await secretOf(world, 'app'), { password: 'canary-large' });
  assert.deepEqual(await secretOf(world, 'db'), {
    USER: 'web',
    PASSWORD: 'canary-env',
    'token.txt': 'a plain token: canary-file\n',
  });
  assert.doesNotMatch(await toldOf(world), /canary|AGE-SECRET/);
});

test('without a key, or with another one, nothing is applied and the file is named', async () => {
  await using world = await createWorld();
  world.sources.push(REPO, ENCRYPTED_FILES);
  await world.kubectlApply(encryptedApp(''));
  await condition(world, 'Ready', (one) =>
    /Secret\/production\/app is SOPS encrypted, configuring decryption is required/.test(
      String(at(one, 'message')),
    ),
  );
  await putKeys(
    world,
    'AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX',
  );
  await world.kubectlApply(encryptedApp(DECRYPTION));
  const refused = await condition(world, 'Ready', (one) =>
    /error decrypting sources: deploy\/token.txt: none of the given keys/.test(
      String(at(one, 'message')),
    ),
  );
  assert.equal(at(refused, 'reason'), 'BuildFailed');
  assert.equal(await world.get('Secret', 'production/app'), undefined);
});

test('an account to decrypt with is refused unless it is allowed', async () => {
  await using world = await createWorld();
  world.sources.push(REPO, {
    'deploy/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n',
  });
  await world.kubectlApply(
    encryptedApp('  decryption: {provider: sops, serviceAccountName: kms}\n'),
  );
  const told = await condition(world, 'Stalled', (one) => at(one, 'status') === 'True');
  assert.equal(at(told, 'reason'), 'FeatureGateDisabled');
  assert.match(String(at(told, 'message')), /enable the ObjectLevelWorkloadIdentity feature gate/);
});
