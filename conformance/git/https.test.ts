/** What stands between us and a remote: certificates of its own, certificates that it asks for, proxies. By real git, both ways. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createGitHost, type GitCredentials, Mirror } from '@capstan/lib-git';
import { CapstanError } from '@capstan/lib-std';
import { startHttpProxy, startSocksProxy } from '../cluster/proxies.ts';
import { makeOrigin } from './origin.ts';

const whyNoOpenssl =
  spawnSync('openssl', ['version']).error === undefined
    ? false
    : 'no openssl: apt-get install openssl';
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

describe('Git over HTTPS and through proxies', { skip: whyNoOpenssl }, () => {
  let folder: string;
  let commit: string;
  let trusted: string;
  let guarded: string;
  const servers: Server[] = [];
  const read = (name: string) => readFileSync(join(folder, name), 'utf8');

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'git-https-'));
    const origin = join(folder, 'origin.git');
    commit = await makeOrigin(origin);
    for (const name of ['ca', 'other-ca']) makeAuthority(name);
    makeCertificate('server', 'ca', 'subjectAltName=IP:127.0.0.1');
    makeCertificate('client', 'ca', 'extendedKeyUsage=clientAuth');
    makeCertificate('stranger', 'other-ca', 'extendedKeyUsage=clientAuth');
    const host = createGitHost({
      find: (path) => (path === 'app.git' ? { folder: origin } : undefined),
    });
    const tls = { key: read('server.key'), cert: read('server.pem') };
    trusted = await listen(createServer(tls, host as RequestListener));
    const asking = { ...tls, ca: read('ca.pem'), requestCert: true, rejectUnauthorized: true };
    guarded = await listen(createServer(asking, host as RequestListener));
  });
  after(() => {
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
    rmSync(folder, { recursive: true, force: true });
  });

  async function listen(server: Server): Promise<string> {
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `https://127.0.0.1:${(server.address() as AddressInfo).port}/app.git`;
  }

  function openssl(...args: string[]): void {
    execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
  }

  function makeAuthority(name: string): void {
    const to = ['-keyout', `${name}.key`, '-out', `${name}.pem`];
    openssl('req', '-x509', ...KEY, ...to, '-subj', `/CN=${name}`, '-days', '2');
  }

  function makeCertificate(name: string, authority: string, extension: string): void {
    writeFileSync(join(folder, `${name}.ext`), `${extension}\n`);
    openssl('req', ...KEY, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    const by = ['-CA', `${authority}.pem`, '-CAkey', `${authority}.key`, '-CAcreateserial'];
    const what = ['-in', `${name}.csr`, '-out', `${name}.pem`, '-extfile', `${name}.ext`];
    openssl('x509', '-req', ...what, ...by, '-days', '2');
  }

  /** The commit, or the code of the failure. Both our own client and git have to come through. */
  async function reach(url: string, credentials: GitCredentials = {}): Promise<string> {
    const cache = mkdtempSync(join(folder, 'mirror-'));
    const mirror = new Mirror({ folder: join(cache, 'm.git'), url, credentials });
    try {
      return (await mirror.resolve({ kind: 'any', name: 'main' })).commit;
    } catch (error) {
      assert.ok(error instanceof CapstanError, String(error));
      assert.doesNotMatch(`${error.message} ${error.hint}`, /PRIVATE KEY|canary/);
      return error.code;
    }
  }

  test('an authority of its own is trusted when it is given, and only then', async () => {
    assert.equal(await reach(trusted, { caCertificate: read('ca.pem') }), commit);
    assert.equal(await reach(trusted), 'GIT_TLS_FAILED');
    assert.equal(await reach(trusted, { caCertificate: read('other-ca.pem') }), 'GIT_TLS_FAILED');
    assert.equal(await reach(trusted, { insecure: true }), commit);
    const both = `${read('other-ca.pem')}${read('ca.pem')}`;
    assert.equal(await reach(trusted, { caCertificate: both }), commit);
  });

  test('a host that asks for a certificate gets it, and refuses others', async () => {
    const caCertificate = read('ca.pem');
    const client = (name: string) => ({
      caCertificate,
      clientCertificate: read(`${name}.pem`),
      clientKey: read(`${name}.key`),
    });
    assert.equal(await reach(guarded, client('client')), commit);
    assert.notEqual(await reach(guarded, client('stranger')), commit);
    assert.notEqual(await reach(guarded, { caCertificate }), commit);
  });

  for (const [what, start] of [
    ['HTTP', startHttpProxy],
    ['SOCKS5', startSocksProxy],
  ] as const) {
    test(`a repository is reached through its own ${what} proxy, by that alone`, async () => {
      await using proxy = await start();
      const caCertificate = read('ca.pem');
      assert.equal(await reach(trusted, { caCertificate, proxy: proxy.url }), commit);
      const { host } = new URL(trusted);
      assert.ok(proxy.asked.length > 0 && proxy.asked.every((asked) => asked === host));
      const dead = proxy.url.replace(/\d+$/, '1');
      assert.equal(await reach(trusted, { caCertificate, proxy: dead }), 'GIT_HOST_UNREACHABLE');
    });
  }

  test('the proxy of the environment is asked for all but what it excepts', async () => {
    await using proxy = await startHttpProxy();
    const credentials = { caCertificate: read('ca.pem') };
    const reachWith = (values: Record<string, string>) =>
      withEnvironment({ https_proxy: proxy.url, ...values }, () => reach(trusted, credentials));
    assert.equal(await reachWith({ no_proxy: '127.0.0.1,.example.com' }), commit);
    assert.deepEqual(proxy.asked, []);
    assert.equal(await reachWith({ no_proxy: '.example.com' }), commit);
    assert.deepEqual([...new Set(proxy.asked)], [new URL(trusted).host]);
  });

  async function withEnvironment<T>(
    values: Readonly<Record<string, string>>,
    run: () => Promise<T>,
  ): Promise<T> {
    const before = { ...process.env };
    Object.assign(process.env, values);
    try {
      return await run();
    } finally {
      for (const name of Object.keys(values)) {
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
      }
    }
  }
});
