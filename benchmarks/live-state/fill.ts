import type { KubeClient } from '@capstan/kube-client';
import type { JsonObject, KubeObject } from '@capstan/kube-object';

export const trackingLabel = 'app.kubernetes.io/instance';

/**
 * Apps as they are found in clusters: each a Deployment, a Service and a ConfigMap that Git holds, and what the cluster makes
 * of them: a ReplicaSet, two Pods, an EndpointSlice. Written as the controllers would leave them, statuses included.
 */
export async function fillCluster(client: KubeClient, apps: number): Promise<number> {
  let objects = 0;
  for (let from = 0; from < apps; from += 50) {
    const namespace = `team-${from / 50}`;
    await client.apply(
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
      { fieldManager: 'bench' },
    );
    await write(client, {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { namespace, name: 'default' },
    });
    const work = Array.from({ length: Math.min(50, apps - from) }, (_, i) =>
      fillApp(client, namespace, `app-${from + i}`),
    );
    objects += (await Promise.all(work)).reduce((sum, count) => sum + count, 0);
  }
  return objects;
}

async function fillApp(client: KubeClient, namespace: string, name: string): Promise<number> {
  const labels = { [trackingLabel]: name, 'app.kubernetes.io/name': 'web' };
  const deployment = await write(client, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace, name, labels },
    spec: { replicas: 2, selector: { matchLabels: { app: name } }, template: template(name) },
  });
  await write(client, service(namespace, name, labels));
  await write(client, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace, name, labels },
    data: { 'application.yaml': 'setting: value\n'.repeat(60) },
  });
  const replicaSet = await write(client, {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      namespace,
      name: `${name}-7d4b9c6f5`,
      labels: { app: name },
      ownerReferences: [ownedBy(deployment)],
    },
    spec: { replicas: 2, selector: { matchLabels: { app: name } }, template: template(name) },
  });
  for (const suffix of ['abcde', 'fghij']) {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        namespace,
        name: `${name}-7d4b9c6f5-${suffix}`,
        labels: { app: name },
        ownerReferences: [ownedBy(replicaSet)],
      },
    };
    await write(client, { ...pod, spec: podSpec() });
    await client.apply(
      { ...pod, status: podStatus() },
      { fieldManager: 'kubelet', subresource: 'status', force: true },
    );
  }
  await write(client, {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { namespace, name: `${name}-x7k2p`, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    endpoints: [
      { addresses: ['10.64.0.1'], conditions: { ready: true } },
      { addresses: ['10.64.0.2'], conditions: { ready: true } },
    ],
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
  });
  return 7;
}

function write(client: KubeClient, object: KubeObject): Promise<KubeObject> {
  return client.apply(object, { fieldManager: 'bench' });
}

function ownedBy({ apiVersion, kind, metadata }: KubeObject) {
  const { name = '', uid = '' } = metadata;
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
}

function service(namespace: string, name: string, labels: Record<string, string>): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace, name, labels },
    spec: { selector: { app: name }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
  };
}

function template(name: string): JsonObject {
  return { metadata: { labels: { app: name } }, spec: podSpec() };
}

function podSpec(): JsonObject {
  return {
    containers: ['web', 'sidecar'].map((name) => ({
      name,
      image: `registry.example.com/shop/${name}:1.42.0`,
      ports: [{ containerPort: 8080, name: 'http' }],
      env: Array.from({ length: 8 }, (_, i) => ({ name: `SETTING_${i}`, value: `value-${i}` })),
      resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
      readinessProbe: { httpGet: { path: '/ready', port: 8080 }, periodSeconds: 10 },
      livenessProbe: { httpGet: { path: '/live', port: 8080 }, periodSeconds: 10 },
      volumeMounts: [{ name: 'config', mountPath: '/etc/app' }],
    })),
    volumes: [{ name: 'config', configMap: { name: 'config' } }],
    securityContext: { runAsNonRoot: true, runAsUser: 1000 },
  };
}

function podStatus(): JsonObject {
  const at = '2026-01-02T03:04:05Z';
  return {
    phase: 'Running',
    hostIP: '10.0.0.1',
    podIP: '10.64.0.1',
    startTime: at,
    conditions: ['Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map((type) => ({
      type,
      status: 'True',
      lastTransitionTime: at,
    })),
    containerStatuses: ['web', 'sidecar'].map((name) => ({
      name,
      image: `registry.example.com/shop/${name}:1.42.0`,
      imageID: `registry.example.com/shop/${name}@sha256:${'0123456789abcdef'.repeat(4)}`,
      containerID: `containerd://${'fedcba9876543210'.repeat(4)}`,
      ready: true,
      started: true,
      restartCount: 0,
      state: { running: { startedAt: at } },
    })),
  };
}
