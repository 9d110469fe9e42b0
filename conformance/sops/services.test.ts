/** Files that the real sops encrypted for keys of services: stand-ins under the real names, behind a proxy. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { type Bearer, CloudIdentities, serviceOpener } from '@capstan/flux-controllers';
import { createKubeClient } from '@capstan/kube-client';
import { systemClock } from '@capstan/kube-controller';
import { startSandbox } from '@capstan/kube-sandbox';
import {
  amazonStandIn,
  type CloudBox,
  googleStandIn,
  microsoftStandIn,
  startCloudBox,
} from '@capstan/lib-clouds/testing';
import { decryptSops } from '@capstan/lib-sops';
import { officialProgram, whyNotOfficial } from '../tools/official.ts';

const VERSION = '3.13.3';
const run = promisify(execFile);
const TEXT =
  'apiVersion: v1\nkind: Secret\nmetadata:\n    name: app\nstringData:\n    password: canary\n';
const ROLE = 'arn:aws:iam::123456789012:role/keys';
const KMS = 'arn:aws:kms:eu-west-1:123456789012:key/one';

/** Which keys sops is told, and what it needs to reach them. */
const ROWS: Readonly<
  Record<
    string,
    { readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> }
  >
> = {
  'AWS KMS': { args: ['--kms', KMS], env: {} },
  'AWS KMS with an encryption context': {
    args: ['--kms', KMS, '--encryption-context', 'Role:reader,Stage:prod'],
    env: {},
  },
  'AWS KMS with a role': { args: ['--kms', `${KMS}+${ROLE}`], env: {} },
  'Azure Key Vault': {
    args: ['--azure-kv', 'https://keys.vault.azure.net/keys/sops/v1'],
    env: {},
  },
  'Google KMS': {
    args: ['--gcp-kms', 'projects/p/locations/global/keyRings/r/cryptoKeys/k'],
    env: { SOPS_GCP_KMS_CLIENT_TYPE: 'rest' },
  },
};

const IDENTITY = {
  AWS_ACCESS_KEY_ID: 'AK',
  AWS_SECRET_ACCESS_KEY: 'SK',
  AZURE_TENANT_ID: 'tenant',
  AZURE_CLIENT_ID: 'app',
  AZURE_CLIENT_SECRET: 'right',
  GOOGLE_OAUTH_ACCESS_TOKEN: 'T',
};

describe('keys of services', { skip: whyNotOfficial('sops', VERSION) }, () => {
  let box: CloudBox;
  let folder: string;
  let close: () => Promise<void>;
  let opener: ReturnType<typeof serviceOpener>;
  const amazon = amazonStandIn(() => undefined);
  const microsoft = microsoftStandIn(() => undefined);
  const google = googleStandIn(() => undefined);

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sops-services-'));
    box = await startCloudBox([...amazon.services, ...microsoft.services, ...google.services]);
    writeFileSync(join(folder, 'ca.pem'), box.caCertificate);
    const sandbox = await startSandbox();
    const client = createKubeClient(sandbox.transport);
    process.env['HTTPS_PROXY'] = box.proxy;
    const identities = new CloudIdentities({ client, clock: systemClock() });
    const bearer: Bearer = { namespace: 'apps' };
    const given = {
      aws: { accessKeyId: 'AK', secretAccessKey: 'SK' },
      azure: { tenantId: 'tenant', clientId: 'app', clientSecret: 'right' },
      google: JSON.stringify({
        ...{ type: 'authorized_user', client_id: 'c', client_secret: 's', refresh_token: 'r' },
      }),
      vaultToken: 'root',
    };
    opener = serviceOpener(given, bearer, { client, identities });
    close = async () => {
      await client.close();
      await sandbox.close();
    };
  });
  after(async () => {
    delete process.env['HTTPS_PROXY'];
    await box[Symbol.asyncDispose]();
    await close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function encrypt(args: readonly string[], env: Readonly<Record<string, string>>) {
    writeFileSync(join(folder, 'secret.yaml'), TEXT);
    const { stdout } = await run(
      officialProgram('sops', VERSION),
      ['encrypt', ...args, 'secret.yaml'],
      {
        cwd: folder,
        env: {
          PATH: process.env['PATH'] ?? '',
          HOME: folder,
          HTTPS_PROXY: box.proxy,
          SSL_CERT_FILE: join(folder, 'ca.pem'),
          ...IDENTITY,
          ...env,
        },
      },
    );
    return Buffer.from(stdout);
  }

  for (const [title, { args, env }] of Object.entries(ROWS)) {
    test(`${title}: what sops wrote is opened`, async () => {
      const encrypted = await encrypt(args, env);
      assert.doesNotMatch(encrypted.toString(), /canary/);
      const plain = await decryptSops(encrypted, { format: 'yaml', keys: { open: opener } });
      assert.equal(Buffer.from(plain).toString(), TEXT);
    });
  }

  test("Vault's transit engine: what sops wrote is opened", async () => {
    const sealed = new Map<string, string>();
    const vault = createServer(async (request, response) => {
      let text = '';
      for await (const chunk of request) text += chunk;
      if (request.headers['x-vault-token'] !== 'root') return response.writeHead(403).end('{}');
      const { plaintext, ciphertext } = JSON.parse(text || '{}');
      if (request.url?.startsWith('/v1/sops/encrypt/app') === true) {
        const name = `vault:v1:${sealed.size}`;
        sealed.set(name, plaintext);
        return response.end(JSON.stringify({ data: { ciphertext: name } }));
      }
      return response.end(JSON.stringify({ data: { plaintext: sealed.get(ciphertext) } }));
    });
    await new Promise<void>((resolve) => vault.listen(0, '127.0.0.1', () => resolve()));
    const address = `http://127.0.0.1:${(vault.address() as AddressInfo).port}`;
    const args = ['--hc-vault-transit', `${address}/v1/sops/keys/app`];
    const encrypted = await encrypt(args, { VAULT_TOKEN: 'root' });
    const plain = await decryptSops(encrypted, { format: 'yaml', keys: { open: opener } });
    assert.equal(Buffer.from(plain).toString(), TEXT);
    vault.closeAllConnections();
    vault.close();
  });
});
