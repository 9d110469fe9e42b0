/** `kubeConfig.configMapRef` with clusters of clouds: stand-ins under the real names, behind a proxy that the environment names. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { createKubeClient, parseKubeconfig } from '@capstan/kube-client';
import { systemClock } from '@capstan/kube-controller';
import { startSandbox } from '@capstan/kube-sandbox';
import {
  amazonStandIn,
  googleStandIn,
  microsoftStandIn,
  startCloudBox,
} from '@capstan/lib-clouds/testing';
import { messageOf } from '@capstan/lib-std';
import { readTokenAccess } from '../kubeconfig-map.ts';
import type { FluxSettings } from '../settings.ts';
import { CloudIdentities } from './cloud-identities.ts';

const signal = new AbortController().signal;
const EKS = 'arn:aws:eks:eu-west-1:123456789012:cluster/web';
const AKS = `/subscriptions/${'0'.repeat(36)}/resourceGroups/r/providers/Microsoft.ContainerService/managedClusters/web`;
const GKE = 'projects/p/locations/l/clusters/web';
const ROLE = 'arn:aws:iam::123456789012:role/reader';
const annotations = {
  'eks.amazonaws.com/role-arn': ROLE,
  'azure.workload.identity/client-id': 'client',
  'azure.workload.identity/tenant-id': 'tenant',
  'gcp.auth.fluxcd.io/workload-identity-provider':
    'projects/1/locations/global/workloadIdentityPools/p/providers/k',
};

const kubeconfig = (server: string, authority: string) => `
current-context: it
contexts: [{name: it, context: {cluster: one, user: me}}]
users: [{name: me, user: {exec: {command: kubelogin, apiVersion: client.authentication.k8s.io/v1}}}]
clusters:
- name: one
  cluster: {server: "${server}", certificate-authority-data: ${Buffer.from(authority).toString('base64')}}
`;

async function createScene() {
  const clouds = {
    amazon: amazonStandIn(() => {}),
    microsoft: microsoftStandIn(() => {}),
    google: googleStandIn(() => {}),
  };
  const box = await startCloudBox(Object.values(clouds).flatMap(({ services }) => services));
  const sandbox = await startSandbox();
  const client = createKubeClient(sandbox.transport);
  const text = await readFile(sandbox.kubeconfigPath, 'utf8');
  const { server, certificateAuthority = '' } = parseKubeconfig(text, { origin: 'test' });
  const place = { address: server, certificateAuthority };
  clouds.amazon.clusters.set('web', place);
  clouds.google.clusters.set(GKE, place);
  const elsewhere = kubeconfig('https://elsewhere.example', 'x');
  clouds.microsoft.clusters.set(AKS, [elsewhere, kubeconfig(server, certificateAuthority)]);
  const metadata = { name: 'reader', namespace: 'default', annotations };
  await client.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata });
  const { HTTPS_PROXY = '' } = process.env;
  process.env['HTTPS_PROXY'] = box.proxy;
  const objectIdentities: FluxSettings = { objectIdentities: true };
  return {
    ...clouds,
    server,
    async open(data: Readonly<Record<string, string>>, settings = objectIdentities) {
      const named = { name: 'there', namespace: 'default' };
      await client.apply(
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: named, data },
        { fieldManager: 'test', force: true },
      );
      const identities = new CloudIdentities({ client, settings, clock: systemClock() });
      return await readTokenAccess(named, { client, identities, settings }, signal);
    },
    async [Symbol.asyncDispose]() {
      process.env['HTTPS_PROXY'] = HTTPS_PROXY;
      await sandbox.close();
      await box[Symbol.asyncDispose]();
    },
  };
}

test('a cluster of a cloud is found, and opened with a token of the account that the ConfigMap names', async () => {
  await using scene = await createScene();
  const rows = [
    { provider: 'aws', cluster: EKS },
    { provider: 'azure', cluster: AKS, address: scene.server },
    { provider: 'gcp', cluster: GKE },
  ];
  for (const row of rows) {
    const access = await scene.open({ ...row, serviceAccountName: 'reader' });
    await using stack = new AsyncDisposableStack();
    const there = access.connect();
    stack.defer(() => there.close());
    // It is the right server with the right authority; the token is one that the sandbox does not know.
    await assert.rejects(there.list({ apiVersion: 'v1', kind: 'Namespace' }), {
      message: /Unauthorized/,
    });
  }
  assert.deepEqual(scene.amazon.seen.slice(0, 2), [
    `AssumeRoleWithWebIdentity ${ROLE} reader.default.eu-west-1.fluxcd.io`,
    `/clusters/web ${ROLE}`,
  ]);
  const told = scene.microsoft.seen.join('\n');
  assert.match(told, /token tenant client 6dae42f8-4368-4678-94ff-3960e28e3630\/\.default/);
  assert.match(told, /Bearer entra:client:https:\/\/management\.core\.windows\.net\/\/\.default/);
  assert.deepEqual(scene.google.seen.slice(-1), [`/v1/${GKE} Bearer google:federated`]);
});

test('what is wrong with a cluster of a cloud is told', async () => {
  await using scene = await createScene();
  const { server } = scene;
  scene.microsoft.clusters.set(AKS.replace('web', 'plain'), []);
  const rows: readonly (readonly [Readonly<Record<string, string>>, string])[] = [
    [{ provider: 'aws', cluster: 'web' }, "invalid EKS cluster ARN: 'web'. must match ^arn:aws"],
    [
      { provider: 'aws', cluster: EKS.replace('eu-west-1', 'x.example/') },
      "invalid EKS cluster ARN: 'arn:aws:eks:x.example/:",
    ],
    [
      { provider: 'aws', cluster: EKS.replace('web', 'none') },
      `failed to describe EKS cluster '${EKS.replace('web', 'none')}': eks.eu-west-1.amazonaws.com refused: No cluster found`,
    ],
    [{ provider: 'azure', cluster: 'web' }, "invalid AKS cluster ID: 'web'. must match (?i)^"],
    [
      { provider: 'azure', cluster: AKS.replace('web', 'plain') },
      `AKS cluster ${AKS.replace('web', 'plain')} does not have Microsoft Entra ID integration enabled`,
    ],
    [
      { provider: 'azure', cluster: AKS.replace('web', 'none') },
      'failed to describe AKS cluster: management.azure.com refused: not found',
    ],
    [
      { provider: 'azure', cluster: AKS, address: 'https://other.example' },
      `no kubeconfig found for AKS cluster ${AKS} matching the specified address 'https://other.example'. cluster addresses: ['https://elsewhere.example', '${server}']`,
    ],
    [{ provider: 'gcp', cluster: 'web' }, "invalid GKE cluster ID: 'web'. must match ^projects/"],
    [
      { provider: 'gcp', cluster: GKE, serviceAccountName: 'none' },
      'failed to get access token for cluster: failed to get service account \'default/none\': serviceaccounts "none" not found',
    ],
  ];
  for (const [data, expected] of rows) {
    const asked = scene.open({ serviceAccountName: 'reader', ...data });
    const message = await asked.then(() => 'opened', messageOf);
    assert.equal(message.slice(0, expected.length), expected);
  }
  const message = await scene
    .open({ provider: 'gcp', cluster: GKE, serviceAccountName: 'reader' }, {})
    .then(() => 'opened', messageOf);
  assert.match(message, /ObjectLevelWorkloadIdentity feature gate is not enabled/);
});
