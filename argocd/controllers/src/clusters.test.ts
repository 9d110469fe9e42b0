import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Json, KubeObject } from '@capstan/kube-object';
import { type Programs, readClusterSecret } from './cluster-secret.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');

function secret(config: Json, data: { readonly [key: string]: string } = {}): KubeObject {
  const all = { name: 'prod', server: 'https://prod.example.com/', ...data };
  const texts = { ...all, config: typeof config === 'string' ? config : JSON.stringify(config) };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: 'prod',
      namespace: 'argocd',
      labels: { 'argocd.argoproj.io/secret-type': 'cluster' },
      annotations: { 'argocd.argoproj.io/skip-reconcile': 'true' },
    },
    data: Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, base64(text)])),
  };
}

async function credentialOf(config: Json, programs: Programs = {}) {
  const connection = readClusterSecret(secret(config), programs)?.connection();
  return connection?.credentials.current({});
}

const PEM = '-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n';

describe('Secrets of type cluster', () => {
  test('name, server, namespaces, project and pause', () => {
    const data = { namespaces: 'a, b', clusterResources: 'true', project: 'team' };
    const {
      connection: _open,
      fingerprint: _print,
      ...found
    } = readClusterSecret(secret({}, data)) ?? assert.fail();
    assert.deepEqual(found, {
      name: 'prod',
      server: 'https://prod.example.com',
      project: 'team',
      namespaces: ['a', 'b'],
      clusterResources: true,
      isPaused: true,
    });
  });

  test('other Secrets, and one without a server, are left out', () => {
    assert.equal(readClusterSecret({ ...secret({}), metadata: { name: 'x' } }), undefined);
    assert.equal(readClusterSecret(secret({}, { server: '' })), undefined);
  });

  test('a token, a password, a certificate', async () => {
    const token = await credentialOf({ bearerToken: 'tok' });
    assert.equal(token?.headers['authorization'], 'Bearer tok');
    const basic = await credentialOf({ username: 'u', password: 'p' });
    assert.equal(basic?.headers['authorization'], `Basic ${base64('u:p')}`);
    const tlsClientConfig = { certData: base64(PEM), keyData: base64(PEM) };
    const certificate = await credentialOf({ tlsClientConfig });
    assert.deepEqual(certificate?.clientCertificate, { certificate: PEM, key: PEM });
  });

  test('trust, proxy and server name', () => {
    const tlsClientConfig = { caData: base64(PEM), serverName: 'api' };
    const config = { tlsClientConfig, proxyUrl: 'http://proxy:3128', disableCompression: true };
    const { credentials: _credentials, ...connection } =
      readClusterSecret(secret(config))?.connection() ?? assert.fail();
    assert.deepEqual(connection, {
      server: 'https://prod.example.com',
      certificateAuthority: PEM,
      tlsServerName: 'api',
      proxyUrl: 'http://proxy:3128',
      insecureSkipTlsVerify: false,
      disableCompression: true,
      origin: 'Secret argocd/prod',
      namespace: 'default',
    });
  });

  test('a program that is asked gets its arguments and environment', async () => {
    const script = `console.log(JSON.stringify({apiVersion:'client.authentication.k8s.io/v1beta1',kind:'ExecCredential',status:{token:process.env.WHO+process.argv.at(-1)}}))`;
    const execProviderConfig = {
      apiVersion: 'client.authentication.k8s.io/v1beta1',
      command: process.execPath,
      args: ['-e', script, '--', '!'],
      env: { WHO: 'me' },
    };
    const credential = await credentialOf({ execProviderConfig });
    assert.equal(credential?.headers['authorization'], 'Bearer me!');
  });

  test('AWS and whoever names it go through the program of the original, as it is called here', async () => {
    const awsAuthConfig = { clusterName: 'eks', roleARN: 'arn:aws:iam::1:role/r' };
    await assert.rejects(credentialOf({ awsAuthConfig }), /argocd-k8s-auth/);
    const script = `console.log(JSON.stringify({apiVersion:'client.authentication.k8s.io/v1beta1',kind:'ExecCredential',status:{token:process.argv.slice(1).join(' ')}}))`;
    const programs = { 'argocd-k8s-auth': [process.execPath, '-e', script, '--'] };
    const aws = await credentialOf({ awsAuthConfig }, programs);
    assert.equal(
      aws?.headers['authorization'],
      'Bearer aws --cluster-name eks --role-arn arn:aws:iam::1:role/r',
    );
    const execProviderConfig = { command: 'argocd-k8s-auth', args: ['azure'] };
    const azure = await credentialOf({ execProviderConfig }, programs);
    assert.equal(azure?.headers['authorization'], 'Bearer azure');
  });

  test('what cannot be used says why, without what it holds', () => {
    const open = (config: Json) => () => readClusterSecret(secret(config))?.connection();
    assert.throws(open('{"bearerToken": "hidden"'), (error: Error) => {
      assert.match(error.message, /Secret argocd\/prod: config is not a JSON object/);
      return !error.message.includes('hidden');
    });
    assert.throws(open({ tlsClientConfig: { caData: base64(PEM), insecure: true } }), {
      message: /both insecure and caData/,
    });
    assert.throws(open({ tlsClientConfig: { certData: base64(PEM) } }), { message: /only one of/ });
  });
});
