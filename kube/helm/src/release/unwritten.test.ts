/** What an operation says and leaves when its records cannot be written, as the original does. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createKubeClient } from '@capstan/kube-client';
import { startSandbox } from '@capstan/kube-sandbox';
import { CapstanError } from '@capstan/lib-std';
import { chartOfFiles } from '../load-chart.ts';
import type { ReleaseCluster, ReleasePorts } from './cluster-port.ts';
import { installRelease } from './install-release.ts';
import { releaseHistory } from './read-releases.ts';
import type { Release } from './release.ts';
import { ReleaseError } from './release-error.ts';
import { releaseStore } from './release-store.ts';
import { uninstallRelease } from './uninstall-release.ts';
import { unlockRelease } from './unlock-release.ts';
import { upgradeRelease } from './upgrade-release.ts';

const CHART = chartOfFiles([
  { name: 'Chart.yaml', data: Buffer.from('apiVersion: v2\nname: shop\nversion: 1.2.3\n') },
]);
const at = { namespace: 'default' };

async function world(): Promise<
  AsyncDisposable & { readonly ports: ReleasePorts; refuse: 'update' | 'delete' | undefined }
> {
  const sandbox = await startSandbox({ nodes: 0 });
  const client = createKubeClient(sandbox.transport);
  const state: { refuse: 'update' | 'delete' | undefined } = { refuse: undefined };
  const guarded = (verb: 'update' | 'delete'): void => {
    if (state.refuse === verb) throw new Error('refused');
  };
  const cluster: ReleaseCluster = {
    discovery: client.discovery,
    find: (ref, options) => client.find(ref, options),
    list: (ref, options) => client.list(ref, options),
    create: (object, options) => client.create(object, options),
    patch: (ref, patch, options) => client.patch(ref, patch, options),
    apply: (object, options) => client.apply(object, options),
    update: async (object, options) => {
      guarded('update');
      return client.update(object, options);
    },
    delete: async (ref, options) => {
      guarded('delete');
      return client.delete(ref, options);
    },
  };
  const clock = { now: () => Date.now(), after: () => () => undefined };
  return {
    ports: { cluster, clock },
    get refuse() {
      return state.refuse;
    },
    set refuse(verb) {
      state.refuse = verb;
    },
    async [Symbol.asyncDispose]() {
      await client.close();
      await sandbox.close();
    },
  };
}

const lines = (history: readonly Release[]): readonly string[] =>
  history.map(({ revision, status, description }) => `${revision} ${status}: ${description}`);

describe('records that cannot be written', () => {
  test('an uninstall goes on, and says what it could not purge', async () => {
    await using place = await world();
    const { ports } = place;
    await installRelease(CHART, {}, { name: 'web', ...at }, ports);
    place.refuse = 'update';
    const gone = await uninstallRelease('web', { ...at, keepHistory: true }, ports);
    assert.equal(gone?.release.status, 'uninstalled');
    const history = await releaseHistory('web', at.namespace, ports);
    assert.deepEqual(lines(history), ['1 deployed: Install complete']);
    place.refuse = 'delete';
    await assert.rejects(
      uninstallRelease('web', at, ports),
      /uninstallation completed with 1 error\(s\): uninstall: Failed to purge the release: refused$/,
    );
  });

  test('an unlock that was read and not written tells the release', async () => {
    await using place = await world();
    const { ports } = place;
    const installed = await installRelease(CHART, {}, { name: 'web', ...at }, ports);
    await releaseStore(ports, at.namespace).update({ ...installed, status: 'pending-upgrade' });
    place.refuse = 'update';
    const error: unknown = await unlockRelease('web', at, ports).catch((thrown) => thrown);
    assert.ok(error instanceof ReleaseError);
    assert.equal(error.message, 'update: failed to update: refused');
    assert.equal(error.release?.status, 'pending-upgrade');
  });

  test('an install over a name supersedes what was uninstalled, and leaves what failed', async () => {
    await using place = await world();
    const { ports } = place;
    const replace = { name: 'web', ...at, replace: true };
    await installRelease(CHART, {}, replace, ports);
    await uninstallRelease('web', { ...at, keepHistory: true }, ports);
    const second = await installRelease(CHART, {}, replace, ports);
    const failed = { ...second, status: 'failed' as const, description: 'no' };
    await releaseStore(ports, at.namespace).update(failed);
    await installRelease(CHART, {}, replace, ports);
    assert.deepEqual(lines(await releaseHistory('web', at.namespace, ports)), [
      '1 superseded: superseded by new release',
      '2 failed: no',
      '3 deployed: Install complete',
    ]);
  });

  test('a first record whose answer is lost is there, and the operation goes on with it', async () => {
    await using place = await world();
    const { ports } = place;
    const seen: string[] = [];
    const cluster: ReleaseCluster = {
      ...ports.cluster,
      create: async (object, options) => {
        await ports.cluster.create(object, options);
        throw new CapstanError('UNREACHABLE', 'the answer is lost', { kind: 'retry' });
      },
    };
    const observe = ({ revision, status }: Release) => seen.push(`${revision} ${status}`);
    const release = await installRelease(
      CHART,
      {},
      { name: 'web', ...at },
      { ...ports, cluster, observe },
    );
    assert.equal(release.status, 'deployed');
    assert.deepEqual(seen, ['1 pending-install', '1 deployed']);
    const others = { ...ports, cluster: { ...cluster, create: refused } };
    await assert.rejects(installRelease(CHART, {}, { name: 'other', ...at }, others), {
      message: 'create: failed to create: nobody answers',
    });
    assert.deepEqual(await releaseHistory('other', 'default', ports).catch(() => []), []);
  });
});

test('what an operation of this process could not write the end of is taken up at once', async () => {
  await using place = await world();
  const { ports } = place;
  await installRelease(CHART, {}, { name: 'web', ...at }, ports);
  place.refuse = 'update';
  await assert.rejects(upgradeRelease(CHART, { a: 1 }, { name: 'web', ...at }, ports));
  place.refuse = undefined;
  assert.match(lines(await releaseHistory('web', 'default', ports))[1] ?? '', /^2 pending-upgrade/);
  await upgradeRelease(CHART, { a: 1 }, { name: 'web', ...at }, ports);
  const states = (await releaseHistory('web', 'default', ports)).map(({ status }) => status);
  assert.deepEqual(states, ['superseded', 'failed', 'deployed']);
});

async function refused(): Promise<never> {
  throw new CapstanError('UNREACHABLE', 'nobody answers', { kind: 'retry' });
}
