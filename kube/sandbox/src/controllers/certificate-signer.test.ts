import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:https';
import { test } from 'node:test';
import { createLocalClient, SYSTEM, textAt, valueAt } from '@capstan/kube-apiserver';
import type { Json } from '@capstan/kube-object';
import { type Sandbox, startSandbox } from '../start-sandbox.ts';

/** Of jane, in devs and ops: made by openssl for this test. */
const REQUEST = `-----BEGIN CERTIFICATE REQUEST-----
MIHoMIGOAgEAMCwxDTALBgNVBAMMBGphbmUxDTALBgNVBAoMBGRldnMxDDAKBgNV
BAoMA29wczBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABIXGTUggNZhVWBvZtILu
s1lZ7x4QITjcj/kJSrpwwYCoZYczSYdNfHMVzFFgDNCekWED9j1ftGxqWLCWjmzL
BQSgADAKBggqhkjOPQQDAgNJADBGAiEA+KGtpQNUqKeiJFfPMezS5d78gngy380A
ItSM8kWXJSMCIQDSqMsQ7vYHm7gBAbPAzxWUWTYlrCDMtXRmOxawy+hXYQ==
-----END CERTIFICATE REQUEST-----
`;
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgW7Wz1sXGGjsaePjK
8eUrekYmcdUdMpXJdWNkx8iy2mKhRANCAASFxk1IIDWYVVgb2bSC7rNZWe8eECE4
3I/5CUq6cMGAqGWHM0mHTXxzFcxRYAzQnpFhA/Y9X7Rsaliwlo5sywUE
-----END PRIVATE KEY-----
`;
const PATH = 'certificates.k8s.io/v1/certificatesigningrequests';

/** Asks for a certificate, approves it, and gives what has become of it. */
async function approved(sandbox: Sandbox, name: string, usages: readonly string[]) {
  const client = createLocalClient(sandbox.server.core, SYSTEM, 'test');
  const made = client.create(PATH, {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name },
    spec: {
      request: Buffer.from(REQUEST).toString('base64'),
      signerName: 'kubernetes.io/kube-apiserver-client',
      expirationSeconds: 3600,
      usages,
    },
  } as never);
  const condition = { type: 'Approved', status: 'True', reason: 'Test', message: 'Fine.' };
  const { status } = await sandbox.transport.request({
    method: 'PUT',
    path: `/apis/${PATH}/${name}/approval`,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...made, status: { conditions: [condition] } }),
  });
  assert.equal(status, 200);
  await new Promise((resolve) => setImmediate(resolve));
  return client.get(PATH, '', name);
}

async function whoAmI({ url }: Sandbox, cert: string): Promise<Json | undefined> {
  const asked = request(`${url}/apis/authentication.k8s.io/v1/selfsubjectreviews`, {
    method: 'POST',
    cert,
    key: KEY,
    rejectUnauthorized: false,
    agent: false,
    headers: { 'content-type': 'application/json' },
  });
  asked.end('{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}');
  const [response] = await once(asked, 'response');
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return valueAt(JSON.parse(text), 'status', 'userInfo');
}

test('an approved request becomes a certificate that lets its owner in', async () => {
  await using sandbox = await startSandbox();
  const issued = await approved(sandbox, 'jane', ['client auth', 'digital signature']);
  const pem = Buffer.from(textAt(issued, 'status', 'certificate'), 'base64').toString();
  const { validFromDate, validToDate } = new X509Certificate(pem);
  assert.equal(validToDate.getTime() - validFromDate.getTime(), 3_600_000);
  const user = await whoAmI(sandbox, pem);
  assert.equal(textAt(user, 'username'), 'jane');
  assert.deepEqual(valueAt(user, 'groups'), ['devs', 'ops', 'system:authenticated']);
});

test('a request for other uses fails, and says why', async () => {
  await using sandbox = await startSandbox();
  const refused = await approved(sandbox, 'server', ['server auth']);
  const conditions = valueAt(refused, 'status', 'conditions') as {
    type: string;
    message: string;
  }[];
  const failed = conditions.find(({ type }) => type === 'Failed');
  assert.equal(failed?.message, 'invalid usage for client certificate: server auth');
  assert.equal(textAt(refused, 'status', 'certificate'), '');
});
