import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { createKubeClient, type KubeClient, parseKubeconfig } from '@capstan/kube-client';
import { systemClock } from '@capstan/kube-controller';
import { startSandbox } from '@capstan/kube-sandbox';
import { parseAddress } from './cluster-address.ts';
import { CloudIdentities } from './identity/cloud-identities.ts';
import { readTokenAccess } from './kubeconfig-map.ts';
import type { FluxSettings } from './settings.ts';

const signal = new AbortController().signal;
const NAME = { namespace: 'default', name: 'there' };

async function put(client: KubeClient, data: { readonly [key: string]: string }) {
  const metadata = { name: 'there', namespace: 'default' };
  await client.apply(
    { apiVersion: 'v1', kind: 'ConfigMap', metadata, data },
    { fieldManager: 'test', force: true },
  );
}

test('a ConfigMap leads to a cluster with a token of the service account that it names', async () => {
  const sandbox = await startSandbox();
  await using stack = new AsyncDisposableStack();
  stack.defer(() => sandbox.close());
  const client = createKubeClient(sandbox.transport);
  const { server, certificateAuthority = '' } = parseKubeconfig(
    await readFile(sandbox.kubeconfigPath, 'utf8'),
    { origin: 'test' },
  );
  const settings: FluxSettings = { objectIdentities: true };
  const read = (more = settings) => {
    const identities = new CloudIdentities({ client, settings: more, clock: systemClock() });
    return readTokenAccess(NAME, { client, identities, settings: more }, signal);
  };
  await assert.rejects(read(), {
    message: 'failed to get configmap default/there: configmaps "there" not found',
  });

  const data = { provider: 'generic', address: server, 'ca.crt': certificateAuthority };
  await put(client, { ...data, provider: 'other' });
  await assert.rejects(read(), { message: "provider 'other' not implemented" });
  await put(client, { ...data, serviceAccountName: 'robot', audiences: '' });
  await assert.rejects(read(), {
    message: /service account 'default\/robot': serviceaccounts "robot" not found/,
  });
  await assert.rejects(read({}), {
    message: 'ObjectLevelWorkloadIdentity feature gate is not enabled',
  });
  await client.create({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'robot', namespace: 'default' },
  });
  const audience = 'https://kubernetes.default.svc.cluster.local';
  await put(client, { ...data, serviceAccountName: 'robot', audiences: `\n ${audience} \n` });
  const access = await read();
  const there = access.connect();
  stack.defer(() => there.close());
  const review = await there.create({
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'SelfSubjectReview',
    metadata: {},
  });
  assert.match(JSON.stringify(review), /system:serviceaccount:default:robot/);
  assert.equal((await read()).fingerprint, access.fingerprint);

  await put(client, { ...data, serviceAccountName: '' });
  const lockdown = { ...settings, defaultKubeConfigAccount: 'missing' };
  await assert.rejects(read(lockdown), {
    message: /subject to multi-tenant workload identity lockdown/,
  });
});

test('an address is one of https', () => {
  const told = (address: string) => {
    try {
      return parseAddress(address, 'x');
    } catch (error) {
      return error instanceof Error ? error.message : '';
    }
  };
  assert.deepEqual(
    [
      'https://a.example:443',
      'A.example',
      'A.EXAMPLE:8080',
      '192.0.2.7',
      '',
      'http://a.example',
    ].map(told),
    [
      'https://a.example:443',
      'https://a.example:443',
      'https://a.example:8080',
      'https://192.0.2.7:443',
      'cluster address is required to create a REST config',
      "the Kubernetes API server address 'http://a.example' must use https scheme",
    ],
  );
});
