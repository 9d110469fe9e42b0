import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  ObjectStore,
  signatureKind,
  signedCommit,
  signedTag,
  verifyPgpSignature,
  verifySshSignature,
} from '@capstan/lib-git';

function whyNot(program: string, ...args: readonly string[]): string | false {
  return spawnSync(program, [...args]).error === undefined ? false : `no ${program}`;
}

/** A repository whose commits and tags git itself signs. */
class Signer {
  readonly folder = mkdtempSync(join(tmpdir(), 'signatures-'));

  constructor() {
    this.git('init', '--quiet', '--initial-branch=main');
  }

  get environment(): NodeJS.ProcessEnv {
    const person = { NAME: 'Ann', EMAIL: 'ann@example.com' };
    return {
      PATH: process.env['PATH'],
      HOME: this.folder,
      GNUPGHOME: join(this.folder, 'gnupg'),
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_AUTHOR_NAME: person.NAME,
      GIT_AUTHOR_EMAIL: person.EMAIL,
      GIT_COMMITTER_NAME: person.NAME,
      GIT_COMMITTER_EMAIL: person.EMAIL,
    };
  }

  git(...args: readonly string[]): string {
    return execFileSync('git', [...args], {
      cwd: this.folder,
      env: this.environment,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim();
  }

  run(program: string, args: readonly string[], input = ''): string {
    return execFileSync(program, [...args], {
      cwd: this.folder,
      env: this.environment,
      encoding: 'utf8',
      input,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  }

  /** Signs an empty commit and a tag on it; answers both objects. */
  sign(name: string, format: 'ssh' | 'openpgp', key: string) {
    const settings = ['-c', `gpg.format=${format}`, '-c', `user.signingKey=${key}`];
    this.git(
      ...settings,
      'commit',
      '--quiet',
      '--allow-empty',
      '-S',
      '-m',
      `Signed: ${name}\n\nWith é and a body.`,
    );
    this.git(...settings, 'tag', '-s', '-m', `tag ${name}`, name);
    return this.read(name);
  }

  read(name: string) {
    const store = new ObjectStore(join(this.folder, '.git'));
    const commit = signedCommit(store.read(this.git('rev-parse', `${name}^{commit}`)).bytes);
    const tag = signedTag(store.read(this.git('rev-parse', name)).bytes);
    store.close();
    return { commit, tag };
  }

  text(name: string): string {
    return readFileSync(join(this.folder, name), 'utf8');
  }
}

describe('SSH signatures', { skip: whyNot('ssh-keygen', '-?') }, () => {
  let signer: Signer;
  const kinds = [
    ['ed25519', '256'],
    ['ecdsa', '256'],
    ['ecdsa', '384'],
    ['ecdsa', '521'],
    ['rsa', '2048'],
  ] as const;

  before(() => {
    signer = new Signer();
    for (const [type, bits] of [...kinds, ['ed25519', 'other'] as const]) {
      const size = /^\d+$/.test(bits) ? ['-b', bits] : [];
      const file = join(signer.folder, `${type}-${bits}`);
      signer.run('ssh-keygen', ['-q', '-t', type, ...size, '-N', '', '-C', 'ann', '-f', file]);
    }
  });
  after(() => rmSync(signer.folder, { recursive: true, force: true }));

  for (const [type, bits] of kinds) {
    test(`${type} ${bits}: commit and tag are verified, by this key only`, () => {
      const name = `${type}-${bits}`;
      const { commit, tag } = signer.sign(name, 'ssh', join(signer.folder, name));
      const key = signer.text(`${name}.pub`);
      const stranger = signer.text('ed25519-other.pub');
      const fingerprint = signer.run('ssh-keygen', ['-lf', `${name}.pub`]).split(' ')[1];
      for (const { payload, signature } of [commit, tag]) {
        assert.equal(signatureKind(signature), 'ssh');
        const keys = [`# keys\n\n${stranger}`, `restrict,no-pty ${key}`];
        assert.equal(verifySshSignature(payload, signature, keys), fingerprint);
        assert.throws(
          () => verifySshSignature(payload, signature, [stranger]),
          /any of the given authorized keys/,
        );
        const changed = Buffer.from(payload);
        changed[changed.length - 2]! ^= 1;
        assert.throws(
          () => verifySshSignature(changed, signature, [key]),
          /any of the given authorized keys/,
        );
      }
      assert.throws(
        () => verifySshSignature(tag.payload, commit.signature, [key]),
        /any of the given/,
      );
    });
  }

  test('a signature for another purpose is none for a commit', () => {
    writeFileSync(join(signer.folder, 'text'), 'hello');
    signer.run('ssh-keygen', ['-Y', 'sign', '-n', 'file', '-f', 'ed25519-256', 'text']);
    const key = signer.text('ed25519-256.pub');
    assert.throws(
      () => verifySshSignature(Buffer.from('hello'), signer.text('text.sig'), [key]),
      /is for "file"/,
    );
  });

  test('damaged signatures and keys are refused, never crashed on', () => {
    const { commit } = signer.sign('damage', 'ssh', join(signer.folder, 'ed25519-256'));
    const key = signer.text('ed25519-256.pub');
    const body = Buffer.from(commit.signature.replace(/-----[^-]+-----/g, ''), 'base64');
    for (let at = 0; at < body.length; at++) {
      const bytes = Buffer.from(body);
      bytes[at]! ^= 0x40;
      const armored = `-----BEGIN SSH SIGNATURE-----\n${bytes.toString('base64')}\n-----END SSH SIGNATURE-----`;
      assert.throws(() => verifySshSignature(commit.payload, armored, [key]), {
        code: 'GIT_SIGNATURE_INVALID',
      });
    }
    assert.throws(
      () => verifySshSignature(commit.payload, commit.signature, ['no key at all']),
      /is no key/,
    );
    assert.throws(() => verifySshSignature(commit.payload, '', [key]), /cannot be read/);
  });
});

describe('PGP signatures', { skip: whyNot('gpg', '--version') }, () => {
  let signer: Signer;
  const ring = (user: string) => signer.run('gpg', ['--armor', '--export', user]);

  before(() => {
    signer = new Signer();
    signer.run('mkdir', ['-m', '700', 'gnupg']);
    for (const [user, algorithm] of [
      ['rsa@example.com', 'rsa2048'],
      ['ed@example.com', 'ed25519'],
      ['gone@example.com', 'ed25519'],
    ] as const) {
      signer.run('gpg', [
        '--batch',
        '--passphrase',
        '',
        '--quick-generate-key',
        user,
        algorithm,
        'sign',
        'never',
      ]);
    }
  });
  after(() => {
    spawnSync('gpgconf', ['--kill', 'all'], { env: signer.environment });
    rmSync(signer.folder, { recursive: true, force: true });
  });

  for (const user of ['rsa@example.com', 'ed@example.com']) {
    test(`${user}: commit and tag are verified, by this key only`, async () => {
      const name = user.split('@')[0] ?? '';
      const { commit, tag } = signer.sign(name, 'openpgp', user);
      const listing = signer.run('gpg', ['--list-keys', '--with-colons', user]);
      const id = /^pub:(?:[^:]*:){3}([^:]+)/m.exec(listing)?.[1];
      for (const { payload, signature } of [commit, tag]) {
        assert.equal(signatureKind(signature), 'openpgp');
        const rings = ['no ring', ring('gone@example.com'), ring(user)];
        assert.equal(await verifyPgpSignature(payload, signature, rings), id);
        await assert.rejects(
          verifyPgpSignature(payload, signature, [ring('gone@example.com')]),
          /any of the given key rings/,
        );
        const changed = Buffer.from(payload);
        changed[changed.length - 2]! ^= 1;
        await assert.rejects(
          verifyPgpSignature(changed, signature, [ring(user)]),
          /any of the given key rings/,
        );
      }
      await assert.rejects(
        verifyPgpSignature(commit.payload, commit.signature, ['no ring']),
        /unable to read armored key ring/,
      );
    });
  }

  test('a revoked key counts no more', async () => {
    const { commit } = signer.sign('gone', 'openpgp', 'gone@example.com');
    await verifyPgpSignature(commit.payload, commit.signature, [ring('gone@example.com')]);
    const fingerprint = /^fpr:(?:[^:]*:){8}([0-9A-F]+)/m.exec(
      signer.run('gpg', ['--list-keys', '--with-colons', 'gone@example.com']),
    )?.[1];
    // gpg keeps a certificate of revocation with a colon before its armor, so that it is not imported by accident.
    const certificate = signer
      .text(`gnupg/openpgp-revocs.d/${fingerprint}.rev`)
      .replace(':-----BEGIN', '-----BEGIN');
    signer.run('gpg', ['--batch', '--import'], certificate);
    await assert.rejects(
      verifyPgpSignature(commit.payload, commit.signature, [ring('gone@example.com')]),
      /any of the given key rings/,
    );
  });
});

test('what is not signed has no signature', () => {
  const signer = new Signer();
  signer.git('commit', '--quiet', '--allow-empty', '-m', 'plain');
  signer.git('tag', '-a', '-m', 'a tag', 'v1');
  const { commit, tag } = signer.read('v1');
  assert.deepEqual([commit.signature, tag.signature], ['', '']);
  assert.equal(signatureKind(''), 'unknown');
  rmSync(signer.folder, { recursive: true, force: true });
});
