import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import { askServer } from '@capstan/engine-apply';
import {
  type CompareOptions,
  compareObject,
  type DiffEntry,
  type FieldDifference,
} from '@capstan/engine-diff';
import { connect, type KubeClient, loadKubeconfig } from '@capstan/kube-client';
import type { KubeObject } from '@capstan/kube-object';
import { startSandbox } from '@capstan/kube-sandbox';
import { type KindSchema, loadCatalogue, readCustomResource } from '@capstan/kube-schema';
import { type Cluster, startCluster, whyNoCluster } from '../cluster/cluster.ts';
import { clientOf, eventually } from '../cluster/support.ts';
import { allCases, type PlacedCase } from './all-cases.ts';
import type { Touch } from './cases.ts';
import { definitions } from './custom-cases.ts';

const MANAGER = 'capstan';
const catalogue = await loadCatalogue();
const customKinds: readonly KindSchema[] = definitions().flatMap((definition) =>
  readCustomResource(definition, catalogue).map(({ kind }) => kind),
);
const COMPARE: CompareOptions = {
  fieldManager: MANAGER,
  ignore: [],
  schemaOf: (wanted) =>
    catalogue.kind(wanted) ??
    customKinds.find(({ kind }) => kind.group === wanted.group && kind.kind === wanted.kind),
};

/** One cluster with the namespaces and definitions that the cases need. */
async function furnish(client: KubeClient, cases: readonly PlacedCase[]): Promise<void> {
  const namespaces = [...new Set(cases.flatMap(({ namespace }) => namespace ?? []))];
  for (const name of namespaces) {
    await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  }
  await eventually(async () => {
    const { items } = await client.list({ apiVersion: 'v1', kind: 'ServiceAccount' });
    const ready = new Set(items.map(({ metadata }) => metadata.namespace));
    return namespaces.every((name) => ready.has(name));
  }, 'service accounts');
}

async function compared(client: KubeClient, desired: KubeObject): Promise<DiffEntry> {
  const { apiVersion, kind, metadata } = desired;
  const { name = '', namespace = '' } = metadata;
  const live = await client.find({ apiVersion, kind, name, namespace });
  return compareObject({ object: desired }, live, COMPARE).entry;
}

/** As a delivery judges: what seems to differ is asked about. */
async function judged(client: KubeClient, desired: KubeObject): Promise<DiffEntry> {
  const entry = await compared(client, desired);
  if (entry.verdict !== 'different' || entry.live === undefined) return entry;
  const told = await askServer(desired, entry.live, { client, fieldManager: MANAGER });
  return told.kind === 'same' ? { ...entry, verdict: 'same', differences: [] } : entry;
}

async function touch(client: KubeClient, desired: KubeObject, change: Touch): Promise<void> {
  const { apiVersion, kind, metadata } = desired;
  const { name = '', namespace = '' } = metadata;
  if ('apply' in change) {
    const object = { ...change.apply, apiVersion, kind, metadata: { name, namespace } };
    await client.apply(object, { fieldManager: change.by, force: true });
    return;
  }
  const { subresource } = change;
  await client.patch({ apiVersion, kind, name, namespace }, change.merge, {
    type: 'merge',
    fieldManager: change.by,
    ...(subresource === undefined ? {} : { subresource }),
  });
}

const brief = ({ path, desired, live, manager }: FieldDifference): string =>
  `${path}: ${JSON.stringify(desired) ?? '-'} <- ${JSON.stringify(live) ?? '-'} (${manager ?? 'nobody'})`;

function assertSynced(entry: DiffEntry, when: string): void {
  assert.deepEqual(entry.differences.map(brief), [], when);
  assert.equal(entry.verdict, 'same', when);
}

async function untouched(client: KubeClient, placed: PlacedCase): Promise<void> {
  const { object, needsAnswer } = placed;
  await client.apply(object, { fieldManager: MANAGER, force: true, fieldValidation: 'Strict' });
  if (needsAnswer === undefined) assertSynced(await compared(client, object), 'without asking');
  else assertSynced(await judged(client, object), 'after asking');
  // What is Synced is not written again; nor would the server change anything.
  // A controller may write between the two reads.
  await eventually(async () => {
    const { live } = await compared(client, object);
    if (live === undefined) return false;
    const told = await askServer(object, live, { client, fieldManager: MANAGER });
    return told.kind === 'same';
  }, 'the server to say same');
}

async function drifted(client: KubeClient, placed: PlacedCase): Promise<void> {
  const { object, drift, needsAnswer } = placed;
  const label = { by: 'kubectl-label', merge: { metadata: { labels: { checked: 'changed' } } } };
  await touch(client, object, label);
  const wrong = (await judged(client, object)).differences;
  const expected = 'metadata.labels.checked: "yes" <- "changed" (kubectl-label)';
  if (needsAnswer === undefined) assert.deepEqual(wrong.map(brief), [expected]);
  else assert.ok(wrong.map(brief).includes(expected));
  assert.match(wrong[0]?.time ?? '', /^20\d\d-/);
  if (drift === undefined) return;
  await client.apply(object, { fieldManager: MANAGER, force: true });
  await touch(client, object, { by: 'kubectl-edit', merge: drift.merge });
  const entry = await judged(client, object);
  assert.equal(entry.verdict, 'different');
  const told = entry.differences.find(({ path }) => path === drift.path);
  assert.ok(told, `${drift.path} is among ${entry.differences.map(brief).join(', ')}`);
  assert.equal(told.manager, 'kubectl-edit');
  assert.match(told.time ?? '', /^20\d\d-/);
  if ('desired' in drift) assert.deepEqual(told.desired, drift.desired);
  if ('live' in drift) assert.deepEqual(told.live, drift.live);
}

async function checkCase(
  context: TestContext,
  client: KubeClient,
  placed: PlacedCase,
): Promise<void> {
  await context.test('applied: Synced, and nothing more is written', () =>
    untouched(client, placed),
  );
  for (const change of placed.touches ?? []) {
    await context.test(`written by ${change.by} elsewhere: Synced`, async () => {
      await touch(client, placed.object, change);
      const entry = await judged(client, placed.object);
      assertSynced(entry, change.by);
    });
  }
  await context.test('drifted: OutOfSync, with field, values, manager and time', () =>
    drifted(client, placed),
  );
}

function checkAll(open: () => Promise<{ client: KubeClient; close: () => Promise<void> }>): void {
  const cases = allCases();
  let world: Awaited<ReturnType<typeof open>>;
  before(async () => {
    world = await open();
    await furnish(world.client, cases);
  });
  after(() => world.close());
  for (const placed of cases) {
    test(placed.name, (context) => checkCase(context, world.client, placed));
  }
}

describe('on the sandbox', () => {
  checkAll(async () => {
    const sandbox = await startSandbox();
    const client = await connect(await loadKubeconfig({ file: sandbox.kubeconfigPath }));
    return {
      client,
      close: async () => {
        await client.close();
        await sandbox.close();
      },
    };
  });
});

describe('on a real control plane', { skip: whyNoCluster() }, () => {
  checkAll(async () => {
    const cluster: Cluster = await startCluster();
    const client = await clientOf(cluster);
    return {
      client,
      close: async () => {
        await client.close();
        await cluster.stop();
      },
    };
  });
});
