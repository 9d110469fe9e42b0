import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createKubeClient, type KubeClient } from '@capstan/kube-client';
import { type Sandbox, startSandbox } from '@capstan/kube-sandbox';
import { chartOfFiles } from '../load-chart.ts';
import type { ReleaseCluster, ReleasePorts } from './cluster-port.ts';
import { installRelease } from './install-release.ts';
import { LEASE_MS } from './operation.ts';
import { releaseHistory } from './read-releases.ts';
import { isPending } from './release.ts';
import { rollbackRelease } from './rollback-release.ts';
import { uninstallRelease } from './uninstall-release.ts';
import { upgradeRelease } from './upgrade-release.ts';

const OBJECT = `apiVersion: v1
kind: ConfigMap
metadata:
  name: NAME
data: {color: "{{ .Values.color }}"}
`;
const HOOK = OBJECT.replace('NAME', 'NAME\n  annotations: {helm.sh/hook: EVENTS}');
const files = {
  'Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 1.0.0\n',
  'values.yaml': 'color: red\n',
  'templates/a.yaml': OBJECT.replace('NAME', 'a'),
  'templates/b.yaml': OBJECT.replace('NAME', 'b'),
  'templates/hook.yaml': HOOK.replace('NAME', 'hook').replace(
    'EVENTS',
    '"pre-install,post-upgrade,pre-rollback,pre-delete"',
  ),
};
const chart = chartOfFiles(
  Object.entries(files).map(([name, text]) => ({ name, data: new TextEncoder().encode(text) })),
);

let sandbox: Sandbox;
let client: KubeClient;

before(async () => {
  sandbox = await startSandbox();
  client = createKubeClient(sandbox.transport);
});

after(async () => {
  await client.close();
  await sandbox.close();
});

function portsAt(shiftMs: number, cluster: ReleaseCluster): ReleasePorts {
  const after = (delayMs: number, run: () => void): (() => void) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  };
  return { cluster, clock: { now: () => Date.now() + shiftMs, after } };
}

function proxy(): ReleaseCluster {
  return {
    discovery: client.discovery,
    find: (...args) => client.find(...args),
    list: (...args) => client.list(...args),
    create: (...args) => client.create(...args),
    update: (...args) => client.update(...args),
    patch: (...args) => client.patch(...args),
    apply: (...args) => client.apply(...args),
    delete: (...args) => client.delete(...args),
  };
}

/** The cluster as a process sees it that is killed at its n-th write: that one and all after it never arrive. */
function killedAt(n: number): { readonly cluster: ReleaseCluster; readonly died: () => boolean } {
  let writes = 0;
  const write = <T>(run: () => Promise<T>): Promise<T> =>
    ++writes >= n ? Promise.reject(new Error('killed')) : run();
  const cluster: ReleaseCluster = {
    ...proxy(),
    create: (...args) => write(() => client.create(...args)),
    update: (...args) => write(() => client.update(...args)),
    patch: (...args) => write(() => client.patch(...args)),
    apply: (...args) => write(() => client.apply(...args)),
    delete: (...args) => write(() => client.delete(...args)),
  };
  return { cluster, died: () => writes >= n };
}

const name = 'web';
type Operation = (namespace: string, ports: ReleasePorts) => Promise<unknown>;
const operations: Readonly<Record<string, Operation>> = {
  install: (namespace, ports) => installRelease(chart, {}, { name, namespace }, ports),
  upgrade: (namespace, ports) =>
    upgradeRelease(chart, { color: 'blue' }, { name, namespace }, ports),
  rollback: (namespace, ports) => rollbackRelease(name, { namespace, revision: 1 }, ports),
  uninstall: (namespace, ports) => uninstallRelease(name, { namespace }, ports),
};

let spaces = 0;
async function prepared(operation: string): Promise<string> {
  const namespace = `crash-${++spaces}`;
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  const ports = portsAt(0, client);
  if (operation !== 'install') await operations['install']?.(namespace, ports);
  if (operation === 'rollback') await operations['upgrade']?.(namespace, ports);
  return namespace;
}

describe('killed at any of its writes', () => {
  for (const [operation, run] of Object.entries(operations)) {
    test(`${operation} leaves what the next operation brings in order`, async () => {
      let points = 0;
      for (let n = 1; ; n++) {
        const namespace = await prepared(operation);
        const { cluster, died } = killedAt(n);
        await run(namespace, portsAt(0, cluster)).catch(() => undefined);
        if (!died()) break;
        points++;
        const later = portsAt(LEASE_MS + 1_000, client);
        const values = { color: 'green' };
        if (operation === 'uninstall') {
          await uninstallRelease(name, { namespace, ignoreNotFound: true }, later);
        } else {
          await upgradeRelease(chart, values, { name, namespace, install: true }, later);
          const history = await releaseHistory(name, namespace, later);
          assert.equal(history.at(-1)?.status, 'deployed', `write ${n}`);
          assert.equal(history.some(isPending), false, `write ${n}`);
        }
        for (const object of ['a', 'b']) {
          const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: object };
          const data = (await client.find(ref))?.['data'];
          assert.deepEqual(data, operation === 'uninstall' ? undefined : values, `write ${n}`);
        }
      }
      assert.ok(points >= 5, `only ${points} writes were tried`);
    });
  }
});

test('a controller that writes an object while its fields change hands does not fail the upgrade', async () => {
  const namespace = 'change-of-hands';
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  const ports = portsAt(0, client);
  await installRelease(chart, {}, { name, namespace, serverSideApply: false }, ports);
  let meddled = 0;
  const meddle: ReleaseCluster['patch'] = async (ref, patch, options) => {
    if (options.type === 'json' && meddled++ < 2) {
      const annotations = { meddled: String(meddled) };
      await client.patch(ref, { metadata: { annotations } }, { type: 'merge' });
    }
    return client.patch(ref, patch, options);
  };
  const merge: ReleasePorts['merge'] = {
    threeWayPatch: () => undefined,
    migrateManager: (live, manager) => {
      const { managedFields = [] } = live.metadata;
      const isOld = (entry: (typeof managedFields)[number]) =>
        entry.manager === manager && entry.operation === 'Update';
      if (!managedFields.some(isOld)) return live;
      const moved = managedFields.map((entry) =>
        isOld(entry) ? { ...entry, operation: 'Apply' as const } : entry,
      );
      return { ...live, metadata: { ...live.metadata, managedFields: moved } };
    },
  };
  const busy = { ...portsAt(0, { ...proxy(), patch: meddle }), merge };
  await upgradeRelease(chart, { color: 'blue' }, { name, namespace, serverSideApply: true }, busy);
  assert.ok(meddled > 2, `${meddled} patches`);
  const a = await client.get({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'a' });
  assert.equal(Reflect.get(Object(a['data']), 'color'), 'blue');
  assert.ok(
    a.metadata.managedFields?.every(
      ({ manager, operation }) => manager !== 'helm' || operation === 'Apply',
    ),
  );
});
