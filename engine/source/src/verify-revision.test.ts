import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ManualClock } from '@capstan/lib-std';
import { createSourceStore } from './create-source-store.ts';
import type { VerifyRequest } from './signature-types.ts';
import type { GitSourceSpec } from './source-spec.ts';

const whyNot = spawnSync('ssh-keygen', ['-?']).error === undefined ? false : 'no ssh-keygen';

describe('revisions are verified', { skip: whyNot }, () => {
  let folder: string;
  let key: string;

  const run = (program: string, ...args: readonly string[]) =>
    execFileSync(program, [...args], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        HOME: folder,
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_AUTHOR_NAME: 'Ann',
        GIT_AUTHOR_EMAIL: 'ann@example.com',
        GIT_COMMITTER_NAME: 'Ann',
        GIT_COMMITTER_EMAIL: 'ann@example.com',
      },
    }).trim();
  const commit = (branch: string, isSigned: boolean, message: string) => {
    const sign = isSigned
      ? ['-c', 'gpg.format=ssh', '-c', `user.signingKey=${join(folder, 'key')}`]
      : [];
    run('git', 'checkout', '--quiet', branch);
    const flags = isSigned ? ['-S'] : [];
    run('git', ...sign, 'commit', '--quiet', '--allow-empty', ...flags, '-m', message);
    return run('git', 'rev-parse', 'HEAD');
  };

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'verify-'));
    run('git', 'init', '--quiet', '--initial-branch=main');
    run('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'ann', '-f', join(folder, 'key'));
    key = readFileSync(join(folder, 'key.pub'), 'utf8');
    run('git', 'commit', '--quiet', '--allow-empty', '-m', 'unsigned root');
    const ssh = ['-c', 'gpg.format=ssh', '-c', `user.signingKey=${join(folder, 'key')}`];
    run('git', ...ssh, 'tag', '-s', '-m', 'signed tag on an unsigned commit', 'v1');
    run('git', 'tag', 'light');
    commit('main', true, 'signed, but not what is behind it');
    run('git', 'branch', 'forged');
    commit('main', true, 'Seal\n\nArgocd-GPG-seal: all is well before this');
    run('git', 'branch', 'gap');
    run('git', 'branch', 'merged');
    commit('main', true, 'signed after the seal');
    commit('gap', false, 'unsigned after the seal');
    commit('gap', true, 'signed after the gap');
    commit('forged', false, 'Forged\n\nArgocd-gpg-seal: unsigned');
    commit('forged', true, 'signed after a seal that counts for nothing');
    run('git', 'checkout', '--quiet', '-b', 'side', 'v1^{commit}');
    commit('side', false, 'unsigned side');
    run('git', 'checkout', '--quiet', 'merged');
    run('git', ...ssh, 'merge', '--quiet', '-S', '--no-ff', '-m', 'merge the side', 'side');
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** Of the last failure. */
  let told = '';

  async function verify(name: string, mode: VerifyRequest['mode'], keys = [key]) {
    const cache = mkdtempSync(join(folder, 'cache-'));
    const clock = new ManualClock();
    const store = createSourceStore({ folder: cache, clock, random: () => 0.5, allowFile: true });
    try {
      const revision = { kind: 'any' as const, name };
      const spec: GitSourceSpec = { kind: 'git', url: `file://${folder}`, revision };
      const snapshot = await store.fetchSnapshot(spec, { maxAgeMs: 0 });
      const places = { pgp: 'here', ssh: 'here' };
      const request = { mode, pgpKeys: [], sshKeys: keys, places, seal: 'Argocd-gpg-seal' };
      const verified = await store.verifyRevision(spec, snapshot, request);
      return verified.map(({ kind }) => kind).join(' ');
    } catch (error) {
      told = (error as Error).message;
      return (error as { code: string }).code;
    } finally {
      await store.close();
    }
  }

  test('the annotated tag that was asked for, or else the commit', async () => {
    assert.equal(await verify('v1', 'tagOrHead'), 'tag');
    assert.equal(await verify('v1', 'head'), 'SIGNATURE_COMMIT_INVALID');
    assert.match(told, /failed: unsupported signature type: empty$/);
    assert.equal(await verify('light', 'tagOrHead'), 'SIGNATURE_COMMIT_INVALID');
    assert.equal(await verify('main', 'tagOrHead'), 'commit');
    assert.equal(await verify('gap', 'tagOrHead'), 'commit');
    assert.equal(await verify('main', 'tagOrHead', []), 'SIGNATURE_COMMIT_INVALID');
  });

  test('all commits back to the seal, each way that a merge leads', async () => {
    assert.equal(await verify('main', 'history'), 'commit commit');
    assert.equal(await verify('main^', 'history'), 'GIT_REVISION_UNKNOWN');
    assert.equal(await verify('gap', 'history'), 'SIGNATURE_HISTORY_INVALID');
    assert.equal(await verify('forged', 'history'), 'SIGNATURE_HISTORY_INVALID');
    assert.equal(await verify('merged', 'history'), 'SIGNATURE_HISTORY_INVALID');
    assert.equal(await verify('v1', 'history'), 'SIGNATURE_HISTORY_INVALID');
    assert.equal(await verify('main', 'history', []), 'SIGNATURE_HISTORY_INVALID');
  });
});
