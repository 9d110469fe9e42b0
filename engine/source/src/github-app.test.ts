import assert from 'node:assert/strict';
import { createVerify, generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createGithubAppLogin } from './github-app.ts';

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const PEM = String(privateKey.export({ type: 'pkcs1', format: 'pem' }));
const NOW = Date.UTC(2026, 10, 29, 16);

async function startHost() {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    const [head = '', claims = '', signature = ''] = (request.headers.authorization ?? '')
      .replace('Bearer ', '')
      .split('.');
    const holds = createVerify('RSA-SHA256')
      .update(`${head}.${claims}`)
      .verify(publicKey, signature, 'base64url');
    const { iss, iat, exp } = JSON.parse(Buffer.from(claims, 'base64url').toString());
    seen.push(`${request.method} ${request.url} ${iss} ${exp - iat} ${holds}`);
    if (!holds) response.writeHead(401).end('{}');
    else if (request.method === 'GET')
      response.end(
        JSON.stringify([
          { id: 1, account: { login: 'other' } },
          { id: 7, account: { login: 'Team' } },
        ]),
      );
    else
      response
        .writeHead(201)
        .end(JSON.stringify({ token: `ghs_${seen.length}`, expires_at: '2026-11-29T17:00:00Z' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v3`;
  return {
    seen,
    baseUrl,
    [Symbol.dispose]: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

test('an app buys a token once an hour, and its repository sees it as a password', async () => {
  using host = await startHost();
  let now = NOW;
  const login = createGithubAppLogin(
    { appId: '12', privateKey: PEM, installationId: '7', baseUrl: host.baseUrl },
    {},
    () => now,
  );
  const [one, two] = await Promise.all([login(), login()]);
  assert.deepEqual(one, { username: 'x-access-token', password: 'ghs_1' });
  assert.equal(two, one);
  assert.deepEqual(host.seen, ['POST /api/v3/app/installations/7/access_tokens 12 600 true']);
  now += 54 * 60_000;
  assert.equal(await login(), one);
  now += 2 * 60_000;
  assert.equal((await login()).password, 'ghs_2');
});

test('the installation is found by its owner; a wrong key is told without being shown', async () => {
  using host = await startHost();
  const app = { appId: '12', privateKey: PEM, baseUrl: host.baseUrl };
  const login = createGithubAppLogin({ ...app, installationOwner: 'team' }, {}, () => NOW);
  await login();
  assert.match(host.seen[1] ?? '', /installations\/7\//);
  const nobody = createGithubAppLogin({ ...app, installationOwner: 'nobody' }, {}, () => NOW);
  await assert.rejects(nobody(), /no installation in "nobody"/);
  const broken = createGithubAppLogin(
    { ...app, privateKey: 'canary', installationId: '7' },
    {},
    () => NOW,
  );
  await assert.rejects(broken(), (error: Error) => {
    assert.match(error.message, /private key of the GitHub App 12 cannot be read/);
    assert.doesNotMatch(String(error.stack), /canary/);
    return true;
  });
});
