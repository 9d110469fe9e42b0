/** Encrypted files that somebody has changed, took from another tenant, or made to cost: refused whole, and nothing is told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DECRYPTION,
  ENCRYPTED_FILES,
  encryptedApp,
  putKeys,
  readSealed,
  toldOf,
} from './testing/encrypted-app.ts';
import { at, condition } from './testing/look.ts';
import { REPO } from './testing/tracked-app.ts';
import { createWorld } from './testing/world.ts';

const ENV = ENCRYPTED_FILES['deploy/db.env'];
const recipient = (at: number): string =>
  `sops_age__list_${at}__map_recipient=age1x\nsops_age__list_${at}__map_enc=x\n`;
const OTHERS_KEY = 'AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX';

/** What is wrong, the values of the generator, the key of the tenant, and why it is refused. */
const ROWS: readonly (readonly [string, string, string, RegExp])[] = [
  [
    'a value was taken out: the MAC is another one',
    ENV.replace(/^PASSWORD=.*\n/m, ''),
    'own',
    /deploy\/db\.env: .*(MAC|changed)/i,
  ],
  [
    'a value stands under another name',
    ENV.replace('PASSWORD=', 'TOKEN='),
    'own',
    /deploy\/db\.env: /,
  ],
  [
    'its metadata names more keys than anybody has',
    `${ENV}${Array.from({ length: 5000 }, (_, at) => recipient(at + 1)).join('')}`,
    'own',
    /deploy\/db\.env: .*more than 200 keys/,
  ],
  ['its key is another tenant’s', ENV, 'other', /none of the given keys/],
];

for (const [name, env, key, why] of ROWS) {
  test(`an encrypted file is refused when ${name}`, async () => {
    await using world = await createWorld();
    world.sources.push(REPO, { ...ENCRYPTED_FILES, 'deploy/db.env': env });
    await putKeys(world, key === 'own' ? readSealed('keys.txt') : OTHERS_KEY);
    await world.kubectlApply(encryptedApp(DECRYPTION));
    const refused = await condition(world, 'Ready', (one) => at(one, 'reason') === 'BuildFailed');
    assert.match(String(at(refused, 'message')), why);
    await world.controllers.idle();
    const { items } = await world.client.list(
      { apiVersion: 'v1', kind: 'Secret' },
      { namespace: 'production' },
    );
    assert.deepEqual(items, [], 'nothing of it is applied');
    assert.doesNotMatch(await toldOf(world), /canary|AGE-SECRET/);
  });
}
