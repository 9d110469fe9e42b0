/** Encrypted files whose keys services keep: opened with a Secret's credentials or by a service account. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import {
  amazonStandIn,
  googleStandIn,
  microsoftStandIn,
  startCloudBox,
} from '@capstan/lib-clouds/testing';
import { readServiceSecrets } from './decryption-services.ts';
import { accountOfToken } from './identity/service-tokens.ts';
import { at, condition, ready } from './testing/look.ts';
import { REPO, trackedApp } from './testing/tracked-app.ts';
import { createWorld, type World } from './testing/world.ts';
import { sealSecret } from './testing/write-sops.ts';

const ARN = 'arn:aws:kms:eu-west-1:123456789012:key/one';
const RESOURCE = 'projects/p/locations/global/keyRings/r/cryptoKeys/k';
const ROLE = 'arn:aws:iam::123456789012:role/keys';

const resources = (decryption: object) => `
apiVersion: v1
kind: ServiceAccount
metadata:
  name: keys
  namespace: flux-system
  annotations:
    eks.amazonaws.com/role-arn: ${ROLE}
    azure.workload.identity/client-id: client
    azure.workload.identity/tenant-id: tenant
    gcp.auth.fluxcd.io/workload-identity-provider: projects/1/locations/global/workloadIdentityPools/p/providers/k
---${trackedApp(`  decryption: ${JSON.stringify({ provider: 'sops', ...decryption })}\n`)}`;

function trusts(token: string): void {
  assert.deepEqual(accountOfToken(token), { namespace: 'flux-system', name: 'keys' });
}

async function passwords(world: World): Promise<readonly string[]> {
  const names = ['aws', 'azure', 'google'];
  const found = await Promise.all(names.map((name) => world.get('Secret', `flux-system/${name}`)));
  return found.map((one) => {
    return Buffer.from(String(at(one, 'data', 'password')), 'base64').toString();
  });
}

const place = (name: string) => ({ name, namespace: 'flux-system' });

/** One Secret for the keys of each cloud. */
async function createScene() {
  const amazon = amazonStandIn(trusts);
  const microsoft = microsoftStandIn(trusts);
  const google = googleStandIn(trusts);
  const box = await startCloudBox([...amazon.services, ...microsoft.services, ...google.services]);
  process.env['HTTPS_PROXY'] = box.proxy;
  const world = await createWorld({ settings: { objectIdentities: true } });
  const azure = { vault_url: 'https://keys.vault.azure.net', name: 'sops', version: 'v1' };
  world.sources.push(REPO, {
    'aws.yaml': await sealSecret(place('aws'), { password: 'one' }, (key) => ({
      kms: [{ arn: ARN, context: { Stage: 'prod' }, enc: amazon.encrypt(key, { Stage: 'prod' }) }],
    })),
    'azure.yaml': await sealSecret(place('azure'), { password: 'two' }, (key) => ({
      azure_kv: [{ ...azure, enc: microsoft.encrypt(key) }],
    })),
    'google.yaml': await sealSecret(place('google'), { password: 'three' }, (key) => ({
      gcp_kms: [{ resource_id: RESOURCE, enc: google.encrypt(RESOURCE, key) }],
    })),
  });
  return {
    ...{ amazon, microsoft, google, world },
    async [Symbol.asyncDispose]() {
      delete process.env['HTTPS_PROXY'];
      await world[Symbol.asyncDispose]();
      await box[Symbol.asyncDispose]();
    },
  };
}

test('a service account opens what KMS of Amazon and Google, and a vault of Azure encrypted', async () => {
  await using scene = await createScene();
  await scene.world.kubectlApply(resources({ serviceAccountName: 'keys' }));
  await ready(scene.world, 'Applied revision');
  assert.deepEqual(await passwords(scene.world), ['one', 'two', 'three']);
  assert.deepEqual(scene.amazon.seen, [
    `AssumeRoleWithWebIdentity ${ROLE} keys.flux-system.eu-west-1.fluxcd.io`,
    `Decrypt ${ROLE}`,
  ]);
  assert.match(scene.google.seen.join(), /decrypt \S+ Bearer google:federated/);
  assert.match(scene.microsoft.seen.join(), /token tenant client https:\/\/vault\.azure\.net/);
});

test("a Secret's credentials open the same, and none of them is told", async () => {
  await using scene = await createScene();
  const { world } = scene;
  const keys = {
    'sops.aws-kms': 'aws_access_key_id: AKID\naws_secret_access_key: canary-1\n',
    'sops.gcp-kms': `${JSON.stringify({ type: 'authorized_user', client_id: 'c', client_secret: 'canary-2', refresh_token: 'canary-3' })}\n`,
  };
  // As tools of Windows write it.
  const azure = Buffer.from('\ufefftenant: tenant\nappId: app\npassword: right\n', 'utf16le');
  const data = { 'sops.azure-kv': azure.toString('base64') };
  await world.kubectlApply(
    `apiVersion: v1\nkind: Secret\nmetadata: {name: keys, namespace: flux-system}\nstringData: ${JSON.stringify(keys)}\ndata: ${JSON.stringify(data)}\n`,
  );
  await world.kubectlApply(resources({ secretRef: { name: 'keys' } }));
  await ready(world, 'Applied revision');
  assert.deepEqual(await passwords(world), ['one', 'two', 'three']);
  assert.deepEqual(scene.amazon.seen, ['Decrypt AKID']);
  const told = JSON.stringify([
    await world.get('Kustomization', 'flux-system/my-app'),
    await world.client.list({ apiVersion: 'v1', kind: 'Event' }, { namespace: 'flux-system' }),
  ]);
  assert.doesNotMatch(told, /canary/);
});

test('why a key does not open is told by its name', async () => {
  await using scene = await createScene();
  const { world } = scene;
  await world.kubectlApply(resources({}));
  const refused = await condition(
    world,
    'Ready',
    (one) => at(one, 'status') === 'False' && String(at(one, 'reason')) === 'BuildFailed',
  );
  assert.match(
    String(at(refused, 'message')),
    /none of the given keys opens the file \(it is encrypted for kms arn:aws:kms:eu-west-1:123456789012:key\/one\); kms \S+: failed to create provider access token for the controller: /,
  );
});

test('Vault is logged in to by a service account where the operator lists the server', async () => {
  const seen: string[] = [];
  const sealed = new Map<string, string>();
  const vault = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const asked = JSON.parse(text);
    if (request.url === '/v1/auth/kubernetes/login') {
      seen.push(`login ${asked.role} ${accountOfToken(asked.jwt)?.name}`);
      response.end(JSON.stringify({ auth: { client_token: 'lent' } }));
      return;
    }
    seen.push(`${request.url} ${request.headers['x-vault-token']}`);
    response.end(JSON.stringify({ data: { plaintext: sealed.get(asked.ciphertext) } }));
  });
  await new Promise<void>((resolve) => vault.listen(0, '127.0.0.1', () => resolve()));
  const address = `http://127.0.0.1:${(vault.address() as AddressInfo).port}`;
  const sopsVaultConfigMap = { namespace: 'flux-system', name: 'vaults' };
  await using world = await createWorld({
    settings: { objectIdentities: true, sopsVaultConfigMap },
  });
  world.sources.push(REPO, {
    'a.yaml': await sealSecret(place('a'), { password: 'four' }, (key) => {
      sealed.set('vault:v1:a', key.toString('base64'));
      const fields = { vault_address: address, engine_path: 'sops', key_name: 'app' };
      return { hc_vault: [{ ...fields, enc: 'vault:v1:a' }] };
    }),
  });
  const map = (instances: readonly object[]) =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: vaults, namespace: flux-system}\ndata: {config.yaml: '${JSON.stringify({ instances })}'}\n`;
  await world.kubectlApply(map([]));
  await world.kubectlApply(resources({ serviceAccountName: 'keys' }));
  await condition(world, 'Ready', (one) =>
    /no Vault login path configured for address/.test(String(at(one, 'message'))),
  );
  assert.deepEqual(seen, []);
  await world.kubectlApply(map([{ address, loginPath: 'auth/kubernetes/login' }]));
  await world.kubectlApply(resources({ serviceAccountName: 'keys' }).replace('10m', '11m'));
  await ready(world, 'Applied revision');
  assert.deepEqual(seen, ['login flux-system_keys keys', '/v1/sops/decrypt/app lent']);
  vault.closeAllConnections();
  vault.close();
});

test('a Secret that holds no credentials is refused without a word of it', () => {
  const read = (name: string, text: string) => readServiceSecrets(new Map([[name, text]]), 'ns/x');
  assert.throws(() => read('sops.azure-kv', 'canary: yes'), {
    message:
      "failed to import 'sops.azure-kv' data from sops decryption Secret 'ns/x': invalid data: requires a 'clientId' field, a combination of 'tenantId', 'clientId' and 'clientSecret', or 'tenantId', 'clientId' and 'clientCertificate'",
  });
  assert.throws(() => read('sops.aws-kms', 'canary: ['), {
    message:
      "failed to import 'sops.aws-kms' data from sops decryption Secret 'ns/x': it is no sound YAML",
  });
});
