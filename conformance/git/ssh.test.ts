import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type GitCredentials, Mirror } from '@capstan/lib-git';
import { CapstanError } from '@capstan/lib-std';
import { freePort } from '../cluster/support.ts';
import { makeOrigin } from './origin.ts';
import { startProxy } from './proxy.ts';

const SSHD = '/usr/sbin/sshd';
const PASSPHRASE = 'canary phrase';

function whyNoSshd(): string | false {
  if (!existsSync(SSHD)) return 'no sshd: apt-get install openssh-server';
  return spawnSync('ssh-keygen', ['-?']).error === undefined ? false : 'no ssh-keygen';
}

describe('Git over SSH', { skip: whyNoSshd() }, () => {
  let folder: string;
  let server: ChildProcess;
  let port: number;
  let url: string;
  let commit: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'git-ssh-'));
    const origin = join(folder, 'origin.git');
    commit = await makeOrigin(origin);
    for (const name of ['host', 'user', 'stranger', 'authority']) makeKey(name, '');
    makeKey('host-ecdsa', '', 'ecdsa');
    certifyHost();
    makeKey('guarded', PASSPHRASE);
    port = await freePort();
    url = `ssh://${userInfo().username}@127.0.0.1:${port}${origin}`;
    server = await startServer();
  });
  after(() => {
    server.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  function makeKey(name: string, passphrase: string, type = 'ed25519'): void {
    const args = ['-q', '-t', type, '-N', passphrase, '-C', name, '-f', join(folder, name)];
    execFileSync('ssh-keygen', args);
  }

  /** The authority's word for the host's key. */
  function certifyHost(): void {
    const names = ['-h', '-n', '127.0.0.1', '-I', 'host', '-V', '+1d'];
    const args = ['-q', '-s', join(folder, 'authority'), ...names, join(folder, 'host.pub')];
    execFileSync('ssh-keygen', args);
  }

  async function startServer(): Promise<ChildProcess> {
    const authorized = join(folder, 'authorized_keys');
    writeFileSync(authorized, read('user.pub') + read('guarded.pub'));
    chmodSync(authorized, 0o600);
    // sshd as root insists on this folder; as somebody else it has no use for it.
    if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true });
    const config = join(folder, 'sshd_config');
    writeFileSync(
      config,
      `Port ${port}\nListenAddress 127.0.0.1\nHostKey ${join(folder, 'host')}\nHostKey ${join(folder, 'host-ecdsa')}\nHostCertificate ${join(folder, 'host-cert.pub')}\nAuthorizedKeysFile ${authorized}\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\nStrictModes no\nPermitRootLogin yes\nPidFile none\n`,
    );
    const child = spawn(SSHD, ['-D', '-e', '-f', config], { stdio: 'ignore' });
    for (let i = 0; i < 100 && !(await canConnect(port)); i++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return child;
  }

  const read = (name: string) => readFileSync(join(folder, name), 'utf8');
  const knownHosts = () => `[127.0.0.1]:${port} ${read('host.pub')}`;

  function resolve(credentials: GitCredentials, address = url): Promise<{ commit: string }> {
    const cache = mkdtempSync(join(folder, 'mirror-'));
    const mirror = new Mirror({ folder: join(cache, 'm.git'), url: address, credentials });
    return mirror.resolve({ kind: 'any', name: 'main' });
  }

  async function failure(credentials: GitCredentials): Promise<string> {
    try {
      await resolve(credentials);
    } catch (error) {
      assert.ok(error instanceof CapstanError);
      assert.doesNotMatch(`${error.message} ${error.hint}`, /canary|PRIVATE KEY/);
      return error.code;
    }
    return 'no failure';
  }

  test('a key and a known host open the repository', async () => {
    const credentials = { sshPrivateKey: read('user'), sshKnownHosts: knownHosts() };
    assert.equal((await resolve(credentials)).commit, commit);
  });

  test('the host is reached through a proxy, by CONNECT or SOCKS5, with user and password', async () => {
    await using proxy = await startProxy({ user: 'ann', password: 'p@ss canary' });
    const credentials = { sshPrivateKey: read('user'), sshKnownHosts: knownHosts() };
    const login = 'ann:p%40ss%20canary@';
    for (const scheme of ['http', 'socks5']) {
      const through = { ...credentials, proxy: `${scheme}://${login}127.0.0.1:${proxy.port}` };
      assert.equal((await resolve(through)).commit, commit);
      assert.deepEqual(new Set(proxy.targets.splice(0)), new Set([`${scheme} 127.0.0.1:${port}`]));
      const wrong = { ...credentials, proxy: `${scheme}://ann:canary@127.0.0.1:${proxy.port}` };
      assert.equal(await failure(wrong), 'GIT_HOST_UNREACHABLE');
    }
    assert.deepEqual(proxy.targets, []);
  });

  test('a key with a passphrase opens it with that passphrase only', async () => {
    const credentials = { sshPrivateKey: read('guarded'), sshKnownHosts: knownHosts() };
    assert.equal((await resolve({ ...credentials, sshPassphrase: PASSPHRASE })).commit, commit);
    assert.equal(
      await failure({ ...credentials, sshPassphrase: 'wrong canary' }),
      'GIT_AUTHENTICATION_FAILED',
    );
    assert.equal(await failure(credentials), 'GIT_AUTHENTICATION_FAILED');
  });

  test('a host that is not known, or is known by another key, is not trusted', async () => {
    const sshPrivateKey = read('user');
    assert.equal(await failure({ sshPrivateKey }), 'GIT_HOST_KEY_UNKNOWN');
    const sshKnownHosts = `[127.0.0.1]:${port} ${read('stranger.pub')}`;
    assert.equal(await failure({ sshPrivateKey, sshKnownHosts }), 'GIT_HOST_KEY_UNKNOWN');
    assert.equal((await resolve({ sshPrivateKey, insecure: true })).commit, commit);
  });

  test('known hosts are read as OpenSSH writes them: hashed, by any of their keys, certified or revoked', async () => {
    const sshPrivateKey = read('user');
    const reach = async (sshKnownHosts: string) => {
      try {
        return (await resolve({ sshPrivateKey, sshKnownHosts })).commit;
      } catch (error) {
        assert.ok(error instanceof CapstanError);
        return error.code;
      }
    };
    const place = `[127.0.0.1]:${port}`;
    const file = join(folder, 'hashed');
    writeFileSync(file, knownHosts());
    execFileSync('ssh-keygen', ['-q', '-H', '-f', file], { stdio: 'ignore' });
    const hashed = readFileSync(file, 'utf8');
    assert.ok(hashed.startsWith('|1|') && !hashed.includes('127.0.0.1'));
    assert.equal(await reach(hashed), commit);
    assert.equal(await reach(`${place} ${read('host-ecdsa.pub')}`), commit);
    assert.equal(await reach(`# a comment\n\n*.example.com,${place} ${read('host.pub')}`), commit);
    const authority = `@cert-authority ${place} ${read('authority.pub')}`;
    assert.equal(await reach(authority), commit);
    const stranger = `@cert-authority ${place} ${read('stranger.pub')}`;
    assert.equal(await reach(stranger), 'GIT_HOST_KEY_UNKNOWN');
    const revoked = `@revoked ${place} ${read('host.pub')}`;
    assert.notEqual(await reach(`${revoked}${authority}`), commit);
    assert.notEqual(await reach(`${revoked}${knownHosts()}`), commit);
  });

  test('another key, or none, is refused', async () => {
    const sshKnownHosts = knownHosts();
    const stranger = { sshPrivateKey: read('stranger'), sshKnownHosts };
    assert.equal(await failure(stranger), 'GIT_AUTHENTICATION_FAILED');
    assert.equal(await failure({ sshKnownHosts }), 'GIT_AUTHENTICATION_FAILED');
    assert.equal(
      await failure({ sshPrivateKey: 'no key at all', sshKnownHosts }),
      'GIT_AUTHENTICATION_FAILED',
    );
  });

  test('no key file is left behind', async () => {
    const before = spawnSync('sh', ['-c', `ls -d ${tmpdir()}/capstan-git-* 2>/dev/null`]).stdout;
    await resolve({ sshPrivateKey: read('user'), sshKnownHosts: knownHosts() });
    const after = spawnSync('sh', ['-c', `ls -d ${tmpdir()}/capstan-git-* 2>/dev/null`]).stdout;
    assert.equal(String(after), String(before));
  });
});

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
