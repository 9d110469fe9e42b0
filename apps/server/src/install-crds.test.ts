import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fluxCrds } from '@capstan/flux-api';
import { createKubeClient, type KubeClient } from '@capstan/kube-client';
import { systemClock } from '@capstan/kube-controller';
import type { KubeObject } from '@capstan/kube-object';
import { startSandbox } from '@capstan/kube-sandbox';
import { compareDefinition } from './compare-definition.ts';
import { type CrdPolicy, installCrds } from './install-crds.ts';

const NAME = 'kustomizations.kustomize.toolkit.fluxcd.io';
const ours = fluxCrds.find(({ metadata }) => metadata.name === NAME) ?? assert.fail();

/** The definition with a change in its versions. */
function changed(change: (versions: Version[]) => void): KubeObject {
  const copy = structuredClone(ours) as KubeObject & { spec: { versions: Version[] } };
  change(copy.spec.versions);
  return copy;
}

interface Fields {
  properties: Record<string, Fields>;
  type: string;
}

interface Version {
  name: string;
  schema: { openAPIV3Schema: Fields };
}

function specOf(versions: readonly Version[], name = 'v1'): Record<string, Fields> {
  const version = versions.find((one) => one.name === name) ?? assert.fail();
  return version.schema.openAPIV3Schema.properties['spec']?.properties ?? assert.fail();
}

const older = changed((versions) => {
  versions.splice(0, versions.length, ...versions.filter(({ name }) => name === 'v1'));
  delete specOf(versions)['ignore'];
  delete specOf(versions)['decryption']?.properties['serviceAccountName'];
});
const newer = changed((versions) => {
  delete specOf(versions)['ignore'];
  specOf(versions)['invented'] = { type: 'object', properties: {} };
});

test('what a definition lacks is told by version and field', () => {
  assert.deepEqual(compareDefinition(older, ours), {
    lacks: ['v1 spec.decryption.serviceAccountName', 'v1 spec.ignore'],
    more: [],
  });
  assert.deepEqual(compareDefinition(newer, ours), {
    lacks: ['v1 spec.ignore'],
    more: ['v1 spec.invented'],
  });
});

async function install(client: KubeClient, policy: CrdPolicy) {
  const { signal } = new AbortController();
  const options = { clock: systemClock(), signal, version: '1.0.0', policy };
  return await installCrds(client, [ours], options);
}

test('an older definition stays and is told, or is replaced where that is asked for; a newer one stays', async () => {
  await using sandbox = await startSandbox();
  const client = createKubeClient(sandbox.transport);
  const ref = { apiVersion: ours.apiVersion, kind: ours.kind, name: NAME };
  const read = async () => compareDefinition(await client.get(ref), ours);
  await client.create(older);
  const kept = await install(client, 'Create');
  assert.equal(kept.older.get(NAME)?.length, 2);
  assert.equal((await read()).lacks.length, 2);
  assert.deepEqual((await install(client, 'CreateReplace')).replaced, [NAME]);
  assert.deepEqual(await read(), { lacks: [], more: [] });
  assert.deepEqual((await install(client, 'CreateReplace')).replaced, []);
  await client.apply(newer, { fieldManager: 'other', force: true });
  const left = await install(client, 'CreateReplace');
  assert.deepEqual([left.replaced, left.older.get(NAME)], [[], ['v1 spec.ignore']]);
  await client.close();
});
