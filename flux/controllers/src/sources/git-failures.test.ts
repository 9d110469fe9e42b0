/** GitRepositories over a real Git host: what is wrong is told by the reason and in the words of source-controller. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createSourceStore } from '@capstan/engine-source/store';
import type { GitRepository } from '@capstan/flux-api';
import { commitFiles, createGitHost, initMirror } from '@capstan/lib-git';
import { CapstanError, ManualClock } from '@capstan/lib-std';
import { toSourceSpec } from '../to-source.ts';
import { gitFailure } from './git-failures.ts';

/** What is asked for, and what comes of it; `URL` is the address. */
const ROWS: readonly (readonly [string, GitRepository['spec']['ref'], string, string])[] = [
  ['empty', { branch: 'main' }, 'EmptyGitRepository', 'git repository is empty'],
  [
    'empty',
    { tag: 'v1' },
    'GitOperationFailed',
    "unable to clone: remote repository is empty: git repository: 'URL'",
  ],
  [
    'app',
    { branch: 'none' },
    'GitOperationFailed',
    "unable to clone 'URL': couldn't find remote ref \"refs/heads/none\"",
  ],
  [
    'app',
    undefined,
    'GitOperationFailed',
    "unable to clone 'URL': couldn't find remote ref \"refs/heads/master\"",
  ],
  [
    'app',
    { tag: 'v9' },
    'GitOperationFailed',
    "unable to clone 'URL': couldn't find remote ref \"refs/tags/v9\"",
  ],
  ['app', { semver: '>=9' }, 'GitOperationFailed', 'no match found for semver: >=9'],
  [
    'app',
    { semver: 'no-range' },
    'GitOperationFailed',
    'semver parse error: improper constraint: "no-range"',
  ],
  [
    'app',
    { name: 'refs/heads/none' },
    'GitOperationFailed',
    "unable to resolve ref 'refs/heads/none' to a specific commit",
  ],
  [
    'app',
    { commit: '0'.repeat(40), branch: 'main' },
    'GitOperationFailed',
    `unable to resolve commit object for '${'0'.repeat(40)}': object not found`,
  ],
  ['gone', { branch: 'main' }, 'GitOperationFailed', "unable to clone 'URL': repository not found"],
  [
    'locked',
    { branch: 'main' },
    'GitOperationFailed',
    "unable to clone 'URL': authentication required",
  ],
];

test('each row fails as in source-controller', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'git-failures-'));
  for (const name of ['empty', 'app']) await initMirror(join(folder, `${name}.git`));
  await commitFiles({
    ...{ gitDir: join(folder, 'app.git'), branch: 'main', files: { a: 'b' }, message: 'One' },
    ...{ author: { name: 'Ann', email: 'ann@example.com' }, at: 1_700_000_000 },
  });
  const host = createGitHost({
    find: (path) => (/empty|app/.test(path) ? { folder: join(folder, path) } : undefined),
  });
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/locked') === true) response.writeHead(401).end();
    else host(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const clock = new ManualClock(1_700_000_000_000);
  const store = createSourceStore({ folder: join(folder, 'cache'), clock, random: () => 0.5 });
  for (const [name, ref, reason, message] of ROWS) {
    const url = `${base}/${name}.git`;
    const repository: GitRepository = {
      apiVersion: 'source.toolkit.fluxcd.io/v1',
      kind: 'GitRepository',
      metadata: { name, namespace: 'apps' },
      spec: { url, interval: '1m', ...(ref === undefined ? {} : { ref }) },
      status: {},
    };
    const error = await store
      .fetchSnapshot(toSourceSpec(repository), { maxAgeMs: 0 })
      .then(() => undefined)
      .catch((cause: unknown) => cause);
    assert.ok(error instanceof CapstanError, `${name} ${JSON.stringify(ref)}`);
    const told = gitFailure(repository, error);
    assert.equal(told.reason, reason, told.message);
    assert.ok(told.message.includes(message.replace('URL', url)), `${told.message}\n${message}`);
  }
  await store.close();
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});
